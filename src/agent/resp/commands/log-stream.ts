import type { Arguments } from '../../../protocol/resp/arguments.ts';
import type { RespWriter } from '../../../protocol/resp/resp-writer.ts';
import type { LogEntry } from '../../../replication/replica.ts';
import type { Client } from '../client.ts';
import { command, container, type Command } from '../command.ts';
import { firstSeqBehind, isForked, type LogId, parseLogId } from '../log-ids.ts';

/**
 * The log as the stream `hs:log`. From `0-0` a reader gets the whole state and then every change; each reader goes at
 * its own pace, and only what it asked for and has not yet received is in memory. Nothing comes that is not confirmed.
 */

const LOG_STREAM = 'hs:log';
const NO_ID = 'ERR Invalid stream ID specified as stream command argument';
const NO_INTEGER = 'ERR value is not an integer or out of range';
/** What one XREAD returns at most, whatever COUNT says: the reader asks again. */
const READ_ENTRIES = 10_000;
const READ_BYTES = 1024 * 1024;
/** What one XRANGE returns at most; it says so rather than leave something out. */
const RANGE_BYTES = 16 * 1024 * 1024;

function writeEntries(out: RespWriter, entries: readonly LogEntry[]): void {
  out.array(entries.length);
  for (const { epoch, seq, key, value } of entries) {
    out.array(2);
    out.text(`${epoch}-${seq}`);
    out.array(value === null ? 4 : 6);
    out.text('op');
    out.text(value === null ? 'del' : 'set');
    out.text('key');
    out.bulk(key);
    if (value === null) continue;
    out.text('value');
    out.bulk(value);
  }
}

function writeStream(out: RespWriter, entries: readonly LogEntry[]): void {
  if (out.version === 3) out.map(1);
  else {
    out.array(1);
    out.array(2);
  }
  out.text(LOG_STREAM);
  writeEntries(out, entries);
}

function isLog(args: Arguments, index: number): boolean {
  return args.text(index) === LOG_STREAM;
}

interface ReadRequest {
  count: number;
  /** Null: do not wait. 0: wait for ever. */
  blockMs: number | null;
  /** Null: behind all that there is (`$`). */
  after: LogId | null;
}

/** XREAD's arguments, or the error that they make. */
function parseRead(args: Arguments): ReadRequest | string {
  const request: ReadRequest = { count: READ_ENTRIES, blockMs: null, after: null };
  let index = 1;
  for (; index < args.count && !args.is(index, 'STREAMS'); index += 2) {
    if (index + 1 === args.count) return 'ERR syntax error';
    const value = args.integer(index + 1);
    if (args.is(index, 'COUNT')) {
      if (value === null) return NO_INTEGER;
      request.count = value > 0 ? Math.min(value, READ_ENTRIES) : READ_ENTRIES;
    } else if (args.is(index, 'BLOCK')) {
      if (value === null) return 'ERR timeout is not an integer or out of range';
      if (value < 0) return 'ERR timeout is negative';
      request.blockMs = value;
    } else return 'ERR syntax error';
  }
  const named = args.count - index - 1;
  if (named < 1) return 'ERR syntax error';
  if (named !== 2) {
    return named % 2 === 1
      ? "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified."
      : `ERR the only stream is ${LOG_STREAM}`;
  }
  if (!isLog(args, index + 1)) return `ERR the only stream is ${LOG_STREAM}`;
  if (args.text(index + 2) === '$') return request;
  request.after = parseLogId(args.text(index + 2), 0);
  return request.after === null ? NO_ID : request;
}

/** Why a reader that has all up to `id` has to start from nothing; null if it may go on. */
function interruption({ context, session }: Client, id: LogId): string | null {
  const { replica } = context;
  const oldest = replica.oldestResumable();
  if (id.seq === 0) session.readingSince = oldest;
  const name = `${id.epoch}-${id.seq}`;
  if (isForked(replica.history(), replica.logEnd().seq, id)) {
    return `FORKED ${name} is not in this log: forget what was read and read from 0-0`;
  }
  if (id.seq > 0 && id.seq < oldest && session.readingSince !== oldest) {
    return `FORKED ${name} is so old that deletes behind it are forgotten: forget what was read and read from 0-0`;
  }
  return null;
}

function read(client: Client, args: Arguments): void {
  const request = parseRead(args);
  if (typeof request === 'string') return client.out.error(request);
  client.suspend((signal) => follow(client, request, signal));
}

/** Waits for entries behind an id, and writes them. */
async function follow(client: Client, { count, blockMs, after }: ReadRequest, signal: AbortSignal): Promise<void> {
  const { out, context } = client;
  const { replica, confirmed, clock } = context;
  const untilMs = blockMs === 0 ? Infinity : clock.monotonicMs() + (blockMs ?? 0);
  const first = Math.max(0, replica.confirmedSeq()) + 1;
  let from = first;
  for (let waited = true; ;) {
    const seen = confirmed.count;
    let problem = after === null ? null : interruption(client, after);
    if (problem !== null) return out.error(problem);
    // After a wait from the beginning again: the log may have been cut to where the reader is.
    if (waited) from = after === null ? first : firstSeqBehind(replica.history(), replica.logEnd().seq, after);
    waited = false;
    const { entries, nextSeq } = await replica.read(from, count, READ_BYTES);
    if (signal.aborted) return;
    problem = after === null ? null : interruption(client, after);
    if (problem !== null) return out.error(problem);
    if (entries.length > 0) return writeStream(out, entries);
    if (nextSeq > from) from = nextSeq;
    else if (blockMs === null || clock.monotonicMs() >= untilMs) return out.nullArray();
    else {
      if (confirmed.count === seen) await confirmed.next(untilMs, signal);
      if (signal.aborted) return;
      waited = true;
    }
  }
}

/** One end of XRANGE: `-`, `+`, an id, or `(` and an id. As the seq of the first or last entry; null if it is none. */
function bound({ context }: Client, text: string, end: 'first' | 'last'): number | null {
  if (text === '-') return 0;
  if (text === '+') return Infinity;
  const exclusive = text.startsWith('(');
  const id = parseLogId(exclusive ? text.slice(1) : text, end === 'first' ? 0 : Infinity);
  if (id === null) return null;
  const behind = (place: LogId): number =>
    firstSeqBehind(context.replica.history(), context.replica.logEnd().seq, place);
  const before = { epoch: id.epoch, seq: id.seq - 1 };
  if (end === 'first') return behind(exclusive ? id : before);
  return behind(exclusive ? before : id) - 1;
}

function range(client: Client, args: Arguments): void {
  const { out } = client;
  const first = bound(client, args.text(2), 'first');
  const last = bound(client, args.text(3), 'last');
  if (first === null || last === null) return out.error(NO_ID);
  let count = Infinity;
  if (args.count !== 4) {
    if (args.count !== 6 || !args.is(4, 'COUNT')) return out.error('ERR syntax error');
    const asked = args.integer(5);
    if (asked === null) return out.error(NO_INTEGER);
    count = Math.max(0, asked);
  }
  if (!isLog(args, 1)) return out.array(0);
  if (count === 0) return out.nullArray();
  client.suspend((signal) => writeRange(client, first, last, count, signal));
}

async function writeRange(
  client: Client,
  first: number,
  last: number,
  count: number,
  signal: AbortSignal,
): Promise<void> {
  const { replica } = client.context;
  const found: LogEntry[] = [];
  let bytes = 0;
  for (let from = first; from <= last && found.length < count && !signal.aborted;) {
    const { entries, nextSeq } = await replica.read(from, Math.min(count - found.length, READ_ENTRIES), READ_BYTES);
    if (nextSeq === from) break;
    for (const entry of entries) {
      if (entry.seq > last) break;
      found.push(entry);
      bytes += entry.key.length + (entry.value?.length ?? 0) + 64;
    }
    if (bytes > RANGE_BYTES)
      return client.out.error('ERR too many entries for one reply: give a smaller range or COUNT');
    from = nextSeq;
  }
  writeEntries(client.out, found);
}

/** The number of records ever written; answered when all of them are confirmed, so that it also serves to wait for that. */
function length(client: Client, args: Arguments): void {
  const seq = client.context.replica.writtenSeq();
  client.out.integer(isLog(args, 1) ? seq : 0);
  client.waitFor(seq);
}

function info(client: Client, args: Arguments): void {
  const { out, context } = client;
  if (args.count !== 3) return out.error('ERR syntax error');
  if (!isLog(args, 2)) return out.error('ERR no such key');
  const { replica } = context;
  const end = replica.logEnd();
  out.map(5);
  out.text('length');
  out.integer(end.seq);
  out.text('last-generated-id');
  out.text(`${end.epoch}-${end.seq}`);
  out.text('max-deleted-entry-id');
  out.text('0-0');
  out.text('entries-added');
  out.integer(end.seq);
  out.text('groups');
  out.integer(0);
  client.waitFor(end.seq);
}

const group = 'stream';
const traits = ['noMulti'] as const;
export const logStreamCommands: readonly Command[] = [
  command('xread', -4, { traits, group, summary: 'Reads the log behind an id, and waits for more.' }, read),
  command('xrange', -4, { traits, keys: [1, 1, 1], group, summary: 'Reads a part of the log.' }, range),
  command('xlen', 2, { keys: [1, 1, 1], group, summary: 'Returns the number of records ever written.' }, length),
  container('xinfo', { group, summary: 'Tells about the log.' }, [
    command('xinfo|stream', -3, { traits, keys: [2, 2, 1], group, summary: 'Tells how long the log is.' }, info),
  ]),
];
