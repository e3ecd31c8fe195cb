import { CR, EMPTY, LF } from './bytes.ts';

/**
 * Writes RESP2 or RESP3 into one growing buffer: replies on the agent's side, commands on the client's. What was
 * written is taken out at the front in pieces. A piece is a view that stays good: the buffer is written over only
 * after `recycle`, else a larger or a new one is made.
 */

const FIRST_BYTES = 1024;
/** A buffer that grew beyond this is not kept once it is empty. */
const KEEP_BYTES = 64 * 1024;

const encoder = new TextEncoder();

/** Kinds of RESP values, by their first byte. */
export const KIND = {
  simple: 43,
  error: 45,
  integer: 58,
  bulk: 36,
  array: 42,
  null: 95,
  boolean: 35,
  double: 44,
  bigNumber: 40,
  bulkError: 33,
  verbatim: 61,
  map: 37,
  set: 126,
  push: 62,
  attribute: 124,
} as const;

export class RespWriter {
  /** Version of the protocol that the other side understands. */
  version: 2 | 3 = 2;
  #bytes: Uint8Array = EMPTY;
  #start = 0;
  #end = 0;
  /** Position in the whole stream of `#bytes[0]`. */
  #base = 0;

  /** Position in the stream behind the last written byte: bytes written ever. */
  get position(): number {
    return this.#base + this.#end;
  }

  /** Bytes written and not taken. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Takes out the oldest bytes, up to a position in the stream, at most `limit`. */
  take(upTo: number, limit: number): Uint8Array {
    const end = Math.min(upTo - this.#base, this.#start + limit);
    const taken = this.#bytes.subarray(this.#start, end);
    this.#start = end;
    return taken;
  }

  /** To be called when all bytes that were taken have been used: the buffer may be written over. */
  recycle(): void {
    if (this.#start !== this.#end) return;
    this.#base += this.#end;
    this.#start = this.#end = 0;
    if (this.#bytes.length > KEEP_BYTES) this.#bytes = EMPTY;
  }

  /** Unwrites everything behind a position, none of which may have been taken. */
  truncate(position: number): void {
    this.#end = position - this.#base;
  }

  ok(): void {
    this.#reserve(5);
    const bytes = this.#bytes;
    let end = this.#end;
    bytes[end++] = KIND.simple;
    bytes[end++] = 79;
    bytes[end++] = 75;
    bytes[end++] = CR;
    bytes[end++] = LF;
    this.#end = end;
  }

  /** A simple string: short, without line ends. */
  simple(text: string): void {
    this.#line(KIND.simple, text);
  }

  /** An error, beginning with its prefix (`ERR`). One character a byte; line ends become spaces. */
  error(text: string): void {
    this.#line(KIND.error, text);
  }

  integer(value: number): void {
    this.#count(KIND.integer, value);
  }

  bulk(value: Uint8Array): void {
    this.#count(KIND.bulk, value.length);
    this.#body(value);
  }

  /** A bulk string in UTF-8. */
  text(value: string): void {
    this.bulk(encoder.encode(value));
  }

  /** A text for people: RESP3 says so, RESP2 gets a bulk string. */
  verbatim(value: string): void {
    if (this.version === 2) return this.text(value);
    const bytes = encoder.encode(`txt:${value}`);
    this.#count(KIND.verbatim, bytes.length);
    this.#body(bytes);
  }

  null(): void {
    if (this.version === 3) this.#line(KIND.null, '');
    else this.#count(KIND.bulk, -1);
  }

  /** What stands for "no array". */
  nullArray(): void {
    if (this.version === 3) this.#line(KIND.null, '');
    else this.#count(KIND.array, -1);
  }

  /** Begins an array of `length` values. */
  array(length: number): void {
    this.#count(KIND.array, length);
  }

  /** Begins a map of `pairs` keys, each followed by its value. */
  map(pairs: number): void {
    if (this.version === 3) this.#count(KIND.map, pairs);
    else this.#count(KIND.array, 2 * pairs);
  }

  set(length: number): void {
    this.#count(this.version === 3 ? KIND.set : KIND.array, length);
  }

  /** Begins a message that answers nothing. */
  push(length: number): void {
    this.#count(this.version === 3 ? KIND.push : KIND.array, length);
  }

  #line(kind: number, text: string): void {
    this.#reserve(text.length + 3);
    const bytes = this.#bytes;
    let end = this.#end;
    bytes[end++] = kind;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      bytes[end++] = code === CR || code === LF ? 32 : code > 255 ? 63 : code;
    }
    bytes[end++] = CR;
    bytes[end++] = LF;
    this.#end = end;
  }

  #count(kind: number, value: number): void {
    if (value < 0 || value > 999_999) return this.#line(kind, String(value));
    this.#reserve(9);
    const bytes = this.#bytes;
    let end = this.#end;
    bytes[end++] = kind;
    let unit = 1;
    while (unit * 10 <= value) unit *= 10;
    for (let rest = value; unit >= 1; unit = Math.floor(unit / 10)) {
      const digit = Math.floor(rest / unit);
      bytes[end++] = 48 + digit;
      rest -= digit * unit;
    }
    bytes[end++] = CR;
    bytes[end++] = LF;
    this.#end = end;
  }

  #body(value: Uint8Array): void {
    this.#reserve(value.length + 2);
    this.#bytes.set(value, this.#end);
    this.#end += value.length;
    this.#bytes[this.#end++] = CR;
    this.#bytes[this.#end++] = LF;
  }

  #reserve(more: number): void {
    if (this.#end + more > this.#bytes.length) this.#grow(more);
  }

  #grow(more: number): void {
    const held = this.#end - this.#start;
    let size = FIRST_BYTES;
    while (size < held + more) size *= 2;
    // Doubling would more than double the memory of one large value.
    if (held + more > KEEP_BYTES) size = Math.max(held + more, Math.ceil(1.5 * held));
    const bytes = new Uint8Array(size);
    bytes.set(this.#bytes.subarray(this.#start, this.#end));
    this.#bytes = bytes;
    this.#base += this.#start;
    this.#start = 0;
    this.#end = held;
  }
}
