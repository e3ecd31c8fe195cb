import { LOG_START, type LogPosition } from '../../model/position.ts';
import { OP } from '../../protocol/batch/layout.ts';
import { BatchScanner } from './batch-scanner.ts';
import { whyNotNext } from './continuity.ts';
import type { Disk } from './disk.ts';
import { Hint } from './hint-file.ts';
import { segmentNames } from './open-segments.ts';
import { type ControlRecord, controlRecord, fileName } from './segment.ts';

/** Where a file of a log is damaged, or what is missing. */
export interface LogProblem {
  readonly file: string;
  readonly offset: number;
  readonly what: string;
}

/** What was found in one file of a log. */
export interface WalkedFile {
  readonly file: string;
  readonly bytes: number;
  readonly firstSeq: number;
  readonly end: LogPosition;
  /** Records in it; null if it was not read. */
  readonly records: number | null;
  readonly controls: readonly ControlRecord[];
  readonly hasHint: boolean;
  /** Bytes at its end that are no whole batch: a write under way, or one that a crash tore. */
  readonly unfinishedBytes: number;
  readonly problem: LogProblem | null;
}

/**
 * Looks through the files of a log, oldest first, and changes nothing; somebody may be writing to it.
 * `store`: its id, to believe hint files; null to read everything.
 */
export function* walkLog(disk: Disk, directory: string, store: string | null): Generator<WalkedFile> {
  let end: LogPosition | null = LOG_START;
  for (const name of segmentNames(disk, directory)) {
    if (end !== null && name.firstSeq <= end.seq) continue;
    const file = `${directory}/${fileName(name, 'log')}`;
    const hint = store === null ? null : Hint.open(disk, `${directory}/${fileName(name, 'hint')}`, store);
    const gap =
      end === null || name.firstSeq === end.seq + 1
        ? null
        : { file, offset: 0, what: `it begins with seq ${name.firstSeq}, the file before it ends with ${end.seq}` };
    const found: WalkedFile = hint === null ? walkFile(disk, file, gap === null ? end : null) : fromHint(file, hint);
    const hasHint = disk.stat(`${directory}/${fileName(name, 'hint')}`) !== null;
    const problem: LogProblem | null = gap ?? found.problem;
    end = found.problem === null ? found.end : null;
    yield { ...found, hasHint, problem };
  }
}

function fromHint(file: string, hint: Hint): WalkedFile {
  const { base, bytes, end, controls } = hint.facts;
  hint.close();
  const rest = { records: null, hasHint: true, unfinishedBytes: 0, problem: null };
  return { file, bytes, firstSeq: base.seq + 1, end, controls, ...rest };
}

/** Reads one file of batches. `before`: the log's end before it, if that is known. */
export function walkFile(disk: Disk, path: string, before: LogPosition | null): WalkedFile {
  const file = disk.open(path, 'read');
  try {
    const bytes = file.size();
    const scanner = new BatchScanner(file, 0, bytes);
    const { cursor } = scanner;
    const controls: ControlRecord[] = [];
    let end = before;
    let firstSeq = 0;
    let records = 0;
    for (;;) {
      const step = scanner.next();
      const wrong = step === 'batch' && end !== null ? whyNotNext(end, cursor.header, scanner.bytes) : '';
      if (step !== 'batch' || wrong !== '') {
        const what = step === 'damaged' ? scanner.problem : wrong;
        return {
          file: path,
          bytes,
          firstSeq,
          end: end ?? LOG_START,
          records,
          controls,
          hasHint: false,
          unfinishedBytes: step === 'torn' ? bytes - scanner.offset : 0,
          problem: what === '' ? null : { file: path, offset: scanner.offset, what },
        };
      }
      firstSeq ||= cursor.header.firstSeq;
      ({ end } = cursor.header);
      records += cursor.header.count;
      while (cursor.next()) {
        if (cursor.op >= OP.reign) controls.push(controlRecord(cursor));
      }
    }
  } finally {
    file.close();
  }
}
