import { LOG_START, type LogPosition, type Reign } from '../../../src/model/position.ts';
import { BatchBuilder } from '../../../src/protocol/batch/batch-builder.ts';
import { checkSingleBatch } from '../../../src/protocol/batch/check-batch.ts';

/** What one record does, in the model. */
export type ModelRecord =
  | { readonly kind: 'set'; readonly key: string; readonly value: string; readonly times?: number }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'reign'; readonly master: string }
  | { readonly kind: 'inSync'; readonly nodes: readonly string[] };

interface ModelBatch {
  readonly records: readonly ModelRecord[];
  readonly end: LogPosition;
}

const builder = new BatchBuilder();

/** The log as anyone would write it who need not care for disk, memory or time: a list of batches. */
export class LogModel {
  #batches: ModelBatch[] = [];

  get end(): LogPosition {
    return this.#batches.at(-1)?.end ?? LOG_START;
  }

  /** Ends of all batches, and the log's start. */
  get positions(): readonly LogPosition[] {
    return [LOG_START, ...this.#batches.map(({ end }) => end)];
  }

  /** The bytes of a batch that continues the log; it is in the model only after `add`. */
  static bytesOf(records: readonly ModelRecord[], epoch: number, end: LogPosition): Uint8Array {
    for (const record of records) {
      if (record.kind === 'reign') builder.reign(record.master);
      else if (record.kind === 'inSync') builder.inSync(record.nodes);
      else if (record.kind === 'delete') builder.delete(Buffer.from(record.key), 0, Buffer.byteLength(record.key));
      else addSet(record.key, valueOf(record));
    }
    return builder.finish(epoch, end.seq + 1, end.hash);
  }

  add(records: readonly ModelRecord[], bytes: Uint8Array): void {
    this.#batches.push({ records, end: checkSingleBatch(bytes).header.end });
  }

  cut(seq: number): void {
    this.#batches = this.#batches.filter(({ end }) => end.seq <= seq);
  }

  /** Keys and values as they were behind `seq`, by default at the end. */
  state(seq = this.end.seq): Map<string, string> {
    const state = new Map<string, string>();
    for (const { records, end } of this.#batches) {
      if (end.seq > seq) break;
      for (const record of records) {
        if (record.kind === 'set') state.set(record.key, valueOf(record));
        else if (record.kind === 'delete') state.delete(record.key);
      }
    }
    return state;
  }

  reigns(): Reign[] {
    return this.#numbered().flatMap(({ record, seq, epoch }) =>
      record.kind === 'reign' ? [{ epoch, firstSeq: seq }] : [],
    );
  }

  /** Last record that may have been confirmed by the master alone. */
  aloneTo(): number {
    let alone = false;
    let aloneTo = 0;
    for (const { record, seq } of this.#numbered()) {
      if (record.kind !== 'inSync') continue;
      if (alone) aloneTo = seq - 1;
      alone = record.nodes.length === 1;
    }
    return alone ? this.end.seq : aloneTo;
  }

  #numbered(): { readonly record: ModelRecord; readonly seq: number; readonly epoch: number }[] {
    return this.#batches.flatMap(({ records, end }) =>
      records.map((record, index) => ({ record, seq: end.seq - records.length + 1 + index, epoch: end.epoch })),
    );
  }
}

/** The value of a set: a text, or many times the same. */
function valueOf(record: ModelRecord & { kind: 'set' }): string {
  return record.value.repeat(record.times ?? 1);
}

function addSet(key: string, value: string): void {
  const bytes = Buffer.from(key + value);
  const keyEnd = Buffer.byteLength(key);
  builder.set(bytes, 0, keyEnd, keyEnd, bytes.length);
}
