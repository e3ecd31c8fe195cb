import { basename } from 'node:path';
import { roundSize } from '../../kit/amounts.ts';
import type { LogPosition } from '../../model/position.ts';
import type {
  ArchiveDescription,
  ArchivedRecord,
  StoreDescription,
  StoreVerdict,
} from '../../replication/log/inspect.ts';
import { formatMoment } from './moment.ts';
import type { Paint } from './paint.ts';
import { alignTable, type Cell } from './table.ts';

/** What is in a store, for a person. */
export function renderStore(store: StoreDescription, paint: Paint): string[] {
  const problems = problemsOf(store.segments);
  const first = problems.length === 0 ? paint('good', 'readable') : paint('bad', `${problems.length} problems`);
  const lines = [`${paint('bold', store.directory)}: ${first}, ends at ${placeOf(store.end)}`];
  const tell = (name: string, text: string): number => lines.push(`  ${paint('dim', name.padEnd(10))}  ${text}`);
  tell('store', store.store);
  tell('used by', store.usedBy === null ? 'nobody' : `process ${store.usedBy}`);
  tell('intact', store.intact ? 'yes' : 'no: it may lack records that it confirmed');
  tell('epoch', `${store.epoch} is the highest it has seen`);
  if (store.aloneTo > 0) tell('alone', `up to seq ${store.aloneTo} the master may have confirmed without its slave`);
  if (store.floor > 0) tell('floor', `cannot be cut before seq ${store.floor}`);
  tell('reigns', store.reigns.map(({ epoch, firstSeq }) => `${epoch} from seq ${firstSeq}`).join(', ') || 'none yet');
  tell(
    'size',
    `${roundSize(store.bytes)} in ${store.segments.length} ${store.segments.length === 1 ? 'segment' : 'segments'}`,
  );
  return [...lines, ...segmentTable(store.segments, paint), ...problems.map((problem) => paint('bad', problem))];
}

/** Whether every byte is what was written. */
export function renderVerdict(verdict: StoreVerdict, paint: Paint): string[] {
  const size = `${verdict.records} records, ${roundSize(verdict.bytes)}, ends at ${placeOf(verdict.end)}`;
  if (verdict.problems.length === 0) {
    return [`${paint('bold', verdict.directory)}: ${paint('good', 'every checksum is right')}; ${size}`];
  }
  return [
    `${paint('bold', verdict.directory)}: ${paint('bad', 'damaged')}; ${size}`,
    ...verdict.problems.map(({ file, offset, what }) => `  ${file}, byte ${offset}: ${what}`),
  ];
}

/** What was cut off or moved away. */
export function renderArchives(archives: readonly ArchiveDescription[], paint: Paint): string[] {
  if (archives.length === 0) return ['no archives'];
  const rows = archives.map((archive): Cell[] => [
    basename(archive.path),
    archive.kind === 'tail' ? 'tail of the log' : 'whole log',
    formatMoment(archive.modifiedWallMs),
    String(archive.firstSeq),
    placeOf(archive.end),
    String(archive.records),
    roundSize(archive.bytes),
    archive.problems.length === 0 ? '' : { text: 'damaged', style: 'bad' },
  ]);
  return alignTable(['NAME', 'KIND', 'WHEN', 'FIRST SEQ', 'END', 'RECORDS', 'SIZE', 'STATE'], rows, paint);
}

/** A record as a JSON line: text where key and value are text, else base64. Null: one that only concerns the log itself. */
export function recordLine(
  record: ArchivedRecord,
  operations: { readonly set: number; readonly delete: number },
): string | null {
  const { epoch, seq } = record;
  const key = textOf(record.key, 'key');
  if (record.op === operations.delete) return JSON.stringify({ epoch, seq, op: 'delete', ...key });
  if (record.op !== operations.set) return null;
  return JSON.stringify({ epoch, seq, op: 'set', ...key, ...textOf(record.value, 'value') });
}

function textOf(bytes: Uint8Array, name: string): Record<string, string> {
  try {
    return { [name]: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { [`${name}Base64`]: Buffer.from(bytes).toString('base64') };
  }
}

function segmentTable(segments: StoreDescription['segments'], paint: Paint): string[] {
  const rows = segments.map((segment): Cell[] => [
    basename(segment.file),
    String(segment.firstSeq),
    placeOf(segment.end),
    roundSize(segment.bytes),
    segment.hasHint ? 'sealed' : 'open',
    segment.unfinishedBytes === 0 ? '' : `${segment.unfinishedBytes} bytes`,
  ]);
  return rows.length === 0
    ? []
    : ['', ...alignTable(['FILE', 'FIRST SEQ', 'END', 'SIZE', 'STATE', 'UNFINISHED'], rows, paint)];
}

function problemsOf(segments: StoreDescription['segments']): string[] {
  return segments.flatMap(({ problem }) =>
    problem === null ? [] : [`${problem.file}, byte ${problem.offset}: ${problem.what}`],
  );
}

function placeOf({ epoch, seq }: LogPosition): string {
  return `${epoch}-${seq}`;
}
