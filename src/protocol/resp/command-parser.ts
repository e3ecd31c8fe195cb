import { Arguments } from './arguments.ts';
import { CR, EMPTY, LF } from './bytes.ts';
import { readInlineCommand } from './inline-command.ts';
import {
  ARGUMENTS_LIMIT,
  ARGUMENTS_LIMIT_BEFORE_AUTH,
  BULK_LIMIT_BEFORE_AUTH_BYTES,
  BULK_LIMIT_BYTES,
  COMMAND_LIMIT_BYTES,
  INLINE_LIMIT_BYTES,
  LARGE_BYTES,
} from './limits.ts';
import { Pieces } from './pieces.ts';

/**
 * Reads commands from the bytes of one client as they come in. A chunk is parsed where it lies; only when it ends
 * inside a command is the beginning of that command carried over to a buffer of the parser's own. Nothing is
 * allocated for a command that lies in one chunk, and nothing is scanned twice but a line that is not complete.
 * The chunks of a large argument are kept as they are: its bytes are copied by whoever uses them, once.
 */

const STAR = 42;
const DOLLAR = 36;
const MINUS = 45;
const ZERO = 48;

/** Answers of `#readNumber` that are not places. */
const MORE = -1;
const BAD = -2;
const DIGITS_LIMIT = 10;
/** A carried-over command is given at most this many times the room that its bytes take already. */
const GROWTH = 4;

export class CommandParser {
  /** The command that `next` found. */
  readonly command = new Arguments();
  /** Why the bytes are no commands, in Redis' words; once set nothing more is parsed. */
  error: string | null = null;
  /** The client has not given the password: tight limits. */
  restricted = false;

  #bytes: Uint8Array = EMPTY;
  #end = 0;
  /** Whether `#bytes` was made here, so that its rest may be written. */
  #own = false;
  #at = 0;
  #commandStart = 0;
  /** Arguments that the present command still lacks; 0 between commands. */
  #missing = 0;
  /** Length of the argument that comes next; -1 if its header was not read yet. */
  #bulkLength = -1;
  #commandBytes = 0;
  #number = 0;
  /** The large argument that is coming in; its line end is not part of it. */
  #large: Pieces | null = null;
  #lineEndBytes = 0;
  /** `command` has a large argument and stands apart from `#bytes`; the first: it was not given out yet. */
  #ready = false;
  #apart = false;

  /** Bytes that were given and do not belong to a command that was found. */
  get buffered(): number {
    const apart = this.#ready ? this.command.totalBytes : this.#inPieces;
    return this.#end - this.#keepFrom + apart + (this.#large?.length ?? 0);
  }

  /** Adds received bytes. The parser keeps the chunk until it is parsed and never writes to it. */
  push(chunk: Uint8Array): void {
    if (this.#large === null) this.#add(chunk);
    else this.#pushLarge(this.#large, chunk);
  }

  #add(chunk: Uint8Array): void {
    const keepFrom = this.#keepFrom;
    const kept = this.#end - keepFrom;
    if (kept === 0) {
      this.#bytes = chunk;
      this.#own = false;
      this.#at = this.#commandStart = 0;
      this.#end = chunk.length;
      return;
    }
    if (!this.#own || this.#bytes.length - this.#end < chunk.length) this.#makeRoom(keepFrom, kept, chunk.length);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** Finds the next complete command; false if there is none, or after an error. */
  next(): boolean {
    if (this.error !== null || this.#large !== null) return false;
    if (this.#ready) {
      this.#ready = false;
      this.#apart = true;
      return true;
    }
    if (this.#apart) {
      this.#apart = false;
      this.command.clear();
    }
    while (this.#missing === 0) {
      this.#commandStart = this.#at;
      if (this.#at === this.#end) return this.#release();
      if (this.#bytes[this.#at] !== STAR) {
        if (!this.#readInline()) return false;
        if (this.command.count > 0) return true;
      } else if (!this.#readCount()) return false;
    }
    return this.#readArguments();
  }

  /** Takes back the command that `next` found: it will be found again. */
  rewind(): void {
    if (this.#apart) {
      this.#ready = true;
      return;
    }
    this.#at = this.#commandStart;
    this.#missing = 0;
  }

  /** Bytes of large arguments of a command that is not complete. */
  get #inPieces(): number {
    return this.#missing > 0 && this.command.hasPieces ? this.command.totalBytes : 0;
  }

  get #keepFrom(): number {
    return this.#missing > 0 ? this.#commandStart : this.#at;
  }

  #release(): false {
    this.#bytes = EMPTY;
    this.#own = false;
    this.#at = this.#commandStart = this.#end = 0;
    return false;
  }

  #fail(problem: string): false {
    this.error = `ERR Protocol error: ${problem}`;
    return false;
  }

  /** `*3\r\n` */
  #readCount(): boolean {
    const next = this.#readNumber(this.#at + 1);
    if (next === MORE) return false;
    if (next === BAD || this.#number > ARGUMENTS_LIMIT) return this.#fail('invalid multibulk length');
    if (this.restricted && this.#number > ARGUMENTS_LIMIT_BEFORE_AUTH) {
      return this.#fail('unauthenticated multibulk length');
    }
    this.#at = next;
    if (this.#number <= 0) return true;
    this.#missing = this.#number;
    this.#bulkLength = -1;
    this.#commandBytes = 0;
    this.command.clear();
    return true;
  }

  #readArguments(): boolean {
    const command = this.command;
    while (this.#missing > 0) {
      if (this.#bulkLength < 0 && !this.#readBulkHeader()) return false;
      const end = this.#at + this.#bulkLength;
      if (end + 2 > this.#end) return this.#bulkLength > LARGE_BYTES ? this.#beginLarge() : false;
      if (this.#bytes[end] !== CR || this.#bytes[end + 1] !== LF) return this.#fail('expected CRLF behind an argument');
      command.add(this.#at, end);
      this.#at = end + 2;
      this.#bulkLength = -1;
      this.#missing -= 1;
    }
    command.bytes = this.#bytes;
    if (command.hasPieces) {
      this.#bytes = this.#bytes.slice(this.#at, this.#end);
      this.#setApart(this.#bytes, 0);
      return this.next();
    }
    return true;
  }

  /** The argument that begins here is not kept in `#bytes`, only what stands before it in its command. */
  #beginLarge(): false {
    let begun = this.#bytes.subarray(this.#at, this.#end);
    if (this.#own) {
      // Written over by what comes behind the argument.
      begun = begun.slice();
    } else {
      this.#bytes = this.#bytes.slice(this.#commandStart, this.#at);
      this.#own = true;
      this.command.shift(-this.#commandStart);
      this.#at -= this.#commandStart;
      this.#commandStart = 0;
    }
    this.#end = this.#at;
    this.#large = new Pieces();
    this.#pushLarge(this.#large, begun);
    return false;
  }

  /** Adds bytes to the large argument, and what comes behind it to the rest. */
  #pushLarge(large: Pieces, chunk: Uint8Array): void {
    let at = Math.min(chunk.length, this.#bulkLength - large.length);
    if (at > 0) large.add(chunk.subarray(0, at));
    if (large.length < this.#bulkLength) return;
    for (; at < chunk.length && this.#lineEndBytes < 2; at++, this.#lineEndBytes++) {
      if (chunk[at] === (this.#lineEndBytes === 0 ? CR : LF)) continue;
      this.#fail('expected CRLF behind an argument');
      return;
    }
    if (this.#lineEndBytes < 2) return;
    this.#large = null;
    this.#lineEndBytes = 0;
    this.#bulkLength = -1;
    this.#missing -= 1;
    this.command.addPieces(large);
    if (this.#missing > 0) return this.#add(chunk.subarray(at));
    this.command.bytes = this.#bytes;
    this.#setApart(chunk, at);
  }

  /** The command is complete and keeps the bytes that it stands in; what follows it is `rest` from `at` on. */
  #setApart(rest: Uint8Array, at: number): void {
    this.#bytes = rest;
    this.#own = false;
    this.#at = this.#commandStart = at;
    this.#end = rest.length;
    this.#ready = true;
  }

  /** `$3\r\n` */
  #readBulkHeader(): boolean {
    if (this.#at === this.#end) return false;
    const first = this.#bytes[this.#at]!;
    if (first !== DOLLAR) return this.#fail(`expected '$', got '${String.fromCharCode(first)}'`);
    const next = this.#readNumber(this.#at + 1);
    if (next === MORE) return false;
    if (next === BAD || this.#number < 0 || this.#number > BULK_LIMIT_BYTES) return this.#fail('invalid bulk length');
    if (this.restricted && this.#number > BULK_LIMIT_BEFORE_AUTH_BYTES) {
      return this.#fail('unauthenticated bulk length');
    }
    this.#commandBytes += this.#number;
    if (this.#commandBytes > COMMAND_LIMIT_BYTES) return this.#fail('too big command');
    this.#bulkLength = this.#number;
    this.#at = next;
    return true;
  }

  /** Reads digits and CRLF from `start`; gives the place behind them, the value in `#number`. */
  #readNumber(start: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    const first = start < end && bytes[start] === MINUS ? start + 1 : start;
    let value = 0;
    let at = first;
    for (; at < end && bytes[at] !== CR; at++) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9 || at - first >= DIGITS_LIMIT) return BAD;
      value = value * 10 + digit;
    }
    if (at + 1 >= end) return MORE;
    const zero = bytes[first] === ZERO;
    if (at === first || bytes[at + 1] !== LF || (zero && (at > first + 1 || first > start))) return BAD;
    this.#number = first > start ? -value : value;
    return at + 2;
  }

  #readInline(): boolean {
    const newline = this.#bytes.subarray(0, this.#end).indexOf(LF, this.#at);
    const length = (newline < 0 ? this.#end : newline) - this.#at;
    if (length > INLINE_LIMIT_BYTES) return this.#fail('too big inline request');
    if (newline < 0) return false;
    const end = newline > this.#at && this.#bytes[newline - 1] === CR ? newline - 1 : newline;
    this.command.clear();
    if (!readInlineCommand(this.#bytes.subarray(this.#at, end), this.command)) {
      return this.#fail('unbalanced quotes in request');
    }
    this.#at = newline + 1;
    return true;
  }

  /** Makes `#bytes` a buffer of our own that begins with the kept bytes and has room for `more`. */
  #makeRoom(keepFrom: number, kept: number, more: number): void {
    const needed = kept + more;
    if (this.#own && this.#bytes.length >= needed) {
      this.#bytes.copyWithin(0, keepFrom, this.#end);
    } else {
      const foreseen = this.#bulkLength < 0 ? 2 * needed : this.#at - keepFrom + this.#bulkLength + 2;
      const bytes = new Uint8Array(Math.max(needed, Math.min(foreseen, GROWTH * needed)));
      bytes.set(this.#bytes.subarray(keepFrom, this.#end));
      this.#bytes = bytes;
      this.#own = true;
    }
    if (this.#missing > 0) this.command.shift(-keepFrom);
    this.#at -= keepFrom;
    this.#commandStart -= keepFrom;
    this.#end = kept;
  }
}
