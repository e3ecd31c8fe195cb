import { LOG_START, type LogPosition } from '../../model/position.ts';
import { OP } from '../../protocol/batch/layout.ts';
import { BatchScanner } from './batch-scanner.ts';
import { whyNotNext } from './continuity.ts';
import type { Disk } from './disk.ts';
import { Hint } from './hint-file.ts';
import { segmentNames } from './open-segments.ts';
import { type ControlRecord, type SegmentName, controlRecord, fileName } from './segment.ts';

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
 * Looks through the files of a log, oldest first, and changes nothing; somebody may be writing to it, and compact it.
 * `store`: its id, to believe hint files; null to read everything.
 */
export function walkLog(disk: Disk, directory: string, store: string | null): readonly WalkedFile[] {
  const walked: Step[] = [];
  let names = segmentNames(disk, directory);
  let at = 0;
  for (let name = names[at]; name !== undefined; name = names[at]) {
    const { firstSeq } = name;
    const end = walked.length === 0 ? LOG_START : walked.at(-1)!.end;
    at += 1;
    if (end !== null && firstSeq <= end.seq) continue;
    const step = walkNext(disk, directory, name, end, store);
    if (step !== null) {
      walked.push(step);
      continue;
    }
    // It was rewritten meanwhile, maybe in one with files that were looked through already: those are done again.
    names = segmentNames(disk, directory);
    const covering = names.findLast((each) => each.firstSeq <= firstSeq)?.firstSeq ?? 0;
    while ((walked.at(-1)?.firstSeq ?? -1) >= covering) walked.pop();
    at = names.findIndex((each) => each.firstSeq >= covering);
  }
  return walked.map(({ file }) => file);
}

/** A file, and where the log ends behind it; null if that is not known. */
interface Step {
  readonly firstSeq: number;
  readonly file: WalkedFile;
  readonly end: LogPosition | null;
}

/** Looks through the file behind `before`; null if it is not there any more. */
function walkNext(
  disk: Disk,
  directory: string,
  name: SegmentName,
  before: LogPosition | null,
  store: string | null,
): Step | null {
  const path = `${directory}/${fileName(name, 'log')}`;
  const hintPath = `${directory}/${fileName(name, 'hint')}`;
  const hint = store === null ? null : Hint.open(disk, hintPath, store);
  const goesOn = before === null || name.firstSeq === before.seq + 1;
  const what = goesOn ? '' : `it begins with seq ${name.firstSeq}, the file before it ends with ${before.seq}`;
  try {
    const file = hint === null ? walkFile(disk, path, goesOn ? before : null) : fromHint(path, hint);
    const problem = goesOn ? file.problem : { file: path, offset: 0, what };
    const hasHint = disk.stat(hintPath) !== null;
    return {
      firstSeq: name.firstSeq,
      file: { ...file, hasHint, problem },
      end: file.problem === null ? file.end : null,
    };
  } catch (error) {
    if (disk.stat(path) === null) return null;
    throw error;
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
