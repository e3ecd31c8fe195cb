import { HsctlError } from '../../kit/errors.ts';
import { CR, EMPTY, integerIn, latin1, LF } from './bytes.ts';
import { KIND } from './resp-writer.ts';

/** Reads the replies of a server (RESP2 and RESP3) from bytes as they come in: the client's side. */

/** An error as the server sent it; also a value within an array. */
export class ReplyError {
  /** The whole text, beginning with the prefix. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** First word of the text: `ERR`, `READONLY`... */
  get prefix(): string {
    return this.text.split(' ', 1)[0] ?? '';
  }
}

/** A message that answers no command. */
export class PushMessage {
  readonly items: readonly Reply[];

  constructor(items: readonly Reply[]) {
    this.items = items;
  }
}

/** Simple and verbatim strings come as text, bulk strings as bytes (a view of what was received or a copy). */
export type Reply =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | ReplyError
  | PushMessage
  | readonly Reply[]
  | ReplyMap;

/** Pairs in the order in which they were sent. */
export class ReplyMap {
  readonly pairs: readonly (readonly [Reply, Reply])[];

  constructor(items: readonly Reply[]) {
    const pairs: [Reply, Reply][] = [];
    for (let at = 0; at + 1 < items.length; at += 2) pairs.push([items[at]!, items[at + 1]!]);
    this.pairs = pairs;
  }
}

const LINE_LIMIT_BYTES = 64 * 1024;
const ITEMS_LIMIT = 4 * 1024 * 1024;
const DEPTH_LIMIT = 32;
const DEFAULT_BULK_LIMIT_BYTES = 512 * 1024 * 1024;
const NEED_MORE = Symbol('need more');

/** An array, map, set or push of which not all items were read. */
interface Frame {
  readonly kind: number;
  readonly length: number;
  readonly items: Reply[];
}

const utf8 = new TextDecoder();

export class RespDecoder {
  readonly #bulkLimitBytes: number;
  #bytes: Uint8Array = EMPTY;
  #at = 0;
  #end = 0;
  #own = false;
  readonly #frames: Frame[] = [];
  /** How far the present line was searched for its end. */
  #searched = 0;
  #bulkKind = 0;
  #bulkLength = -1;

  constructor(bulkLimitBytes: number = DEFAULT_BULK_LIMIT_BYTES) {
    this.#bulkLimitBytes = bulkLimitBytes;
  }

  /** Adds received bytes. Views in replies that were given out stay good. */
  push(chunk: Uint8Array): void {
    const kept = this.#end - this.#at;
    if (kept === 0) {
      this.#bytes = chunk;
      this.#own = false;
      this.#at = this.#searched = 0;
      this.#end = chunk.length;
      return;
    }
    if (!this.#own || this.#bytes.length - this.#end < chunk.length) {
      const needed = kept + chunk.length;
      const foreseen = this.#bulkLength < 0 ? 2 * needed : this.#bulkLength + 2;
      const bytes = new Uint8Array(Math.max(needed, Math.min(foreseen, 4 * needed)));
      bytes.set(this.#bytes.subarray(this.#at, this.#end));
      this.#bytes = bytes;
      this.#own = true;
      this.#searched = Math.max(0, this.#searched - this.#at);
      this.#at = 0;
      this.#end = kept;
    }
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /**
   * The next complete reply; undefined if more bytes are needed.
   * @throws HsctlError('format') if the bytes are no RESP; the decoder is of no use after that.
   */
  next(): Reply | undefined {
    for (;;) {
      const value = this.#value();
      if (value === NEED_MORE) return undefined;
      if (isFrame(value) && !this.#isEmpty(value)) continue;
      const whole = this.#place(isFrame(value) ? finished(value) : value);
      if (whole !== NEED_MORE) return whole;
    }
  }

  /** Whether a frame that was just begun is a complete value already; else it waits for its items, if it has any. */
  #isEmpty(frame: Frame): boolean {
    if (frame.length === 0) return frame.kind !== KIND.attribute;
    if (this.#frames.length >= DEPTH_LIMIT) throw bad('arrays nested too deeply');
    this.#frames.push(frame);
    return false;
  }

  /** Puts a value into the array that it belongs to; gives the outermost value once it is complete. */
  #place(value: Reply): Reply | typeof NEED_MORE {
    let complete = value;
    for (;;) {
      const frame = this.#frames.at(-1);
      if (frame === undefined) return complete;
      frame.items.push(complete);
      if (frame.items.length < frame.length) return NEED_MORE;
      this.#frames.pop();
      // An attribute says something of the value behind it, which is all that is wanted here.
      if (frame.kind === KIND.attribute) return NEED_MORE;
      complete = finished(frame);
    }
  }

  #value(): Reply | Frame | typeof NEED_MORE {
    if (this.#bulkLength >= 0) return this.#bulk();
    const lineEnd = this.#lineEnd();
    if (lineEnd < 0) return NEED_MORE;
    const kind = this.#bytes[this.#at]!;
    const start = this.#at + 1;
    this.#at = this.#searched = lineEnd + 2;
    switch (kind) {
      case KIND.simple:
        return latin1(this.#bytes, start, lineEnd);
      case KIND.error:
        return new ReplyError(latin1(this.#bytes, start, lineEnd));
      case KIND.integer:
        return this.#integer(start, lineEnd);
      case KIND.null:
        return null;
      case KIND.boolean:
        return this.#bytes[start] === 116;
      case KIND.double:
        return Number(latin1(this.#bytes, start, lineEnd).replace(/^(-?)inf$/, '$1Infinity'));
      case KIND.bigNumber:
        return bigNumber(latin1(this.#bytes, start, lineEnd));
      case KIND.bulk:
      case KIND.bulkError:
      case KIND.verbatim:
        return this.#beginBulk(kind, start, lineEnd);
      case KIND.array:
      case KIND.set:
      case KIND.push:
      case KIND.map:
      case KIND.attribute:
        return this.#beginFrame(kind, start, lineEnd);
      default:
        throw bad(`no reply begins with byte ${kind}`);
    }
  }

  #lineEnd(): number {
    const found = this.#bytes.subarray(0, this.#end).indexOf(LF, Math.max(this.#at, this.#searched));
    if (found < 0) {
      this.#searched = this.#end;
      if (this.#end - this.#at > LINE_LIMIT_BYTES) throw bad('a line without end');
      return -1;
    }
    if (found - this.#at < 2 || this.#bytes[found - 1] !== CR) throw bad('a line end without its carriage return');
    return found - 1;
  }

  #integer(start: number, end: number): number {
    const value = integerIn(this.#bytes, start, end);
    if (value === null) throw bad(`"${latin1(this.#bytes, start, Math.min(end, start + 32))}" is no number`);
    return value;
  }

  #beginBulk(kind: number, start: number, end: number): Reply | typeof NEED_MORE {
    const length = this.#integer(start, end);
    if (length === -1 && kind === KIND.bulk) return null;
    if (length < 0 || length > this.#bulkLimitBytes) throw bad(`a string of ${length} bytes`);
    this.#bulkKind = kind;
    this.#bulkLength = length;
    return this.#bulk();
  }

  #bulk(): Reply | typeof NEED_MORE {
    const start = this.#at;
    const end = start + this.#bulkLength;
    if (end + 2 > this.#end) return NEED_MORE;
    if (this.#bytes[end] !== CR || this.#bytes[end + 1] !== LF) throw bad('a string longer than it says');
    this.#bulkLength = -1;
    this.#at = this.#searched = end + 2;
    if (this.#bulkKind === KIND.bulkError) return new ReplyError(latin1(this.#bytes, start, end));
    if (this.#bulkKind === KIND.verbatim) return utf8.decode(this.#bytes.subarray(Math.min(start + 4, end), end));
    return this.#bytes.subarray(start, end);
  }

  #beginFrame(kind: number, start: number, end: number): Reply | Frame {
    const items = this.#integer(start, end);
    if (items === -1 && kind === KIND.array) return null;
    if (items < 0 || items > ITEMS_LIMIT) throw bad(`an array of ${items} values`);
    const pairs = kind === KIND.map || kind === KIND.attribute;
    return { kind, length: pairs ? 2 * items : items, items: [] };
  }
}

function isFrame(value: Reply | Frame): value is Frame {
  return typeof value === 'object' && value !== null && 'items' in value && !(value instanceof PushMessage);
}

function finished(frame: Frame): Reply {
  if (frame.kind === KIND.map) return new ReplyMap(frame.items);
  if (frame.kind === KIND.push) return new PushMessage(frame.items);
  return frame.items;
}

function bigNumber(text: string): bigint {
  if (!/^-?\d{1,1000}$/.test(text)) throw bad(`"${text.slice(0, 32)}" is no number`);
  return BigInt(text);
}

function bad(problem: string): HsctlError {
  return new HsctlError('format', `not a reply in the Redis protocol: ${problem}`);
}
