import { BatchHeader } from '../../../protocol/batch/batch-header.ts';
import { BATCH_HEADER_BYTES, BATCH_SOFT_LIMIT_BYTES, OP } from '../../../protocol/batch/layout.ts';
import { SparseBatchBuilder } from '../../../protocol/batch/sparse-batch.ts';
import type { LogPosition } from '../../../model/position.ts';
import { BatchScanner } from '../batch-scanner.ts';
import type { Disk, DiskFile } from '../disk.ts';
import { damagedFile, diskFailure } from '../disk-failure.ts';
import { EntryList, entryMark } from '../entry-list.ts';
import { Fingerprint, classBytes, sizeClass } from '../fingerprint.ts';
import { encodeHint } from '../hint-file.ts';
import { Segment, controlRecord } from '../segment.ts';
import { findLive } from './find-live.ts';
import { MoveList } from './move-list.ts';
import type { OffsetSet } from './offset-set.ts';
import type { LivenessAnswer, RewriteInput, RewriteJob, RewriteResult } from './rewriter.ts';

/** Called with the bytes that were read or written since it was called last; may wait, or throw to stop the work. */
export type Pacer = (bytes: number) => Promise<void>;

/**
 * Rewrites a run of segments: see `Rewriter`.
 * @throws HsctlError('disk') if an input is damaged or the disk refuses.
 */
export async function rewriteRun(
  disk: Disk,
  job: RewriteJob,
  answer: LivenessAnswer,
  pace: Pacer,
): Promise<RewriteResult> {
  try {
    const kept = await findLive(disk, job, answer);
    const file = disk.open(job.logPath, 'create');
    try {
      return await new RunWriter(job, kept, file).run(disk, pace);
    } finally {
      file.close();
    }
  } catch (error) {
    throw diskFailure('write', job.logPath, 0, error);
  }
}

/**
 * Second half of a rewrite: copies the records that `kept` names, for each input, into sparse batches. One pass over the
 * inputs, one batch in memory.
 */
class RunWriter {
  readonly #job: RewriteJob;
  readonly #kept: readonly OffsetSet[];
  readonly #idle: ReadonlySet<number>;
  readonly #fingerprint: Fingerprint;
  readonly #output: Segment;
  readonly #entries = new EntryList();
  readonly #header = new BatchHeader();
  readonly #builder: SparseBatchBuilder;
  readonly #moves = new MoveList();
  #end: LogPosition;
  #forgetful = false;
  #setBytes = 0;

  constructor(job: RewriteJob, kept: readonly OffsetSet[], file: DiskFile) {
    const { base } = job.inputs[0]!;
    this.#job = job;
    this.#kept = kept;
    this.#idle = new Set(job.idleControls);
    this.#fingerprint = new Fingerprint(job.key);
    this.#output = new Segment(0, { firstSeq: base.seq + 1, generation: 0 }, file, base);
    this.#builder = new SparseBatchBuilder(base.seq + 1);
    this.#end = base;
  }

  async run(disk: Disk, pace: Pacer): Promise<RewriteResult> {
    for (const [number, input] of this.#job.inputs.entries()) await this.#copyInput(disk, number, input, pace);
    this.#finishBatch();
    const output = this.#output;
    await output.file.sync();
    output.sealedAtWallMs = this.#job.sealedAtWallMs;
    output.compactedBytes = this.#setBytes;
    await this.#writeHint(disk, pace);
    return { bytes: output.bytes, moves: this.#moves.parts() };
  }

  async #writeHint(disk: Disk, pace: Pacer): Promise<void> {
    const file = disk.open(this.#job.hintPath, 'create');
    try {
      let at = 0;
      for (const part of encodeHint(this.#output, this.#entries.sorted(), this.#job.store)) {
        file.write(part, at);
        at += part.length;
        await pace(part.length);
      }
      await file.sync();
    } finally {
      file.close();
    }
  }

  async #copyInput(disk: Disk, number: number, input: RewriteInput, pace: Pacer): Promise<void> {
    const file = disk.open(input.logPath, 'read');
    try {
      const scanner = new BatchScanner(file, 0, input.bytes);
      for (let step = scanner.next(); step !== 'end'; step = scanner.next()) {
        if (step !== 'batch') throw damagedFile(input.logPath, scanner.offset, scanner.problem);
        this.#copyBatch(scanner, number, input);
        await pace(scanner.bytes.length);
      }
    } finally {
      file.close();
    }
  }

  #copyBatch(scanner: BatchScanner, number: number, input: RewriteInput): void {
    const { cursor } = scanner;
    const { epoch, lastSeq } = cursor.header;
    const fresh = this.#end.seq + 1 === this.#builder.firstSeq;
    const full = this.#builder.payloadBytes >= BATCH_SOFT_LIMIT_BYTES;
    if (!fresh && (epoch !== this.#end.epoch || full || !this.#builder.reaches(lastSeq))) this.#finishBatch();
    while (cursor.next()) {
      if (cursor.op > OP.delete) this.#copyControl(scanner);
      else this.#copyEntry(scanner, number, input);
    }
    this.#forgetful ||= cursor.header.forgetful;
    this.#end = cursor.header.end;
  }

  #copyControl({ cursor }: BatchScanner): void {
    if (this.#idle.has(cursor.seq)) return;
    this.#output.controls.push(controlRecord(cursor));
    this.#builder.add(cursor);
  }

  #copyEntry(scanner: BatchScanner, number: number, input: RewriteInput): void {
    const { cursor } = scanner;
    const offset = scanner.recordOffset;
    const tombstone = cursor.op === OP.delete;
    if (!this.#kept[number]!.has(offset)) {
      if (tombstone && input.dropsDeletes) this.#forgetful = true;
      return;
    }
    const fingerprint = this.#fingerprint;
    fingerprint.take(cursor.bytes, cursor.keyStart, cursor.valueStart);
    const { a, b, c } = fingerprint;
    const place = this.#builder.add(cursor);
    const bytes = this.#builder.payloadBytes - place;
    const newOffset = this.#output.bytes + BATCH_HEADER_BYTES + place;
    const size = sizeClass(bytes);
    const mark = entryMark(c, size, tombstone);
    this.#entries.push(a, b, mark, newOffset);
    if (tombstone) {
      this.#output.tombstoneBytes += bytes;
      return;
    }
    this.#setBytes += classBytes(size);
    this.#moves.push(a, b, mark, newOffset, number, offset);
  }

  #finishBatch(): void {
    const { epoch, seq, hash } = this.#end;
    const batch = this.#builder.finish(epoch, seq, hash, this.#forgetful);
    this.#forgetful = false;
    const output = this.#output;
    output.file.write(batch, output.bytes);
    output.add(this.#header.read(batch), batch);
  }
}
