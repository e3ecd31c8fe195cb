import type { Arguments } from './arguments.ts';

/**
 * Commands as a person types them into telnet: words between white space, with quotes as in Redis. In double quotes
 * \n \r \t \b \a \xHH and \ before any other character are escapes, in single quotes only \'.
 */

const SPACE = 32;
const DOUBLE = 34;
const SINGLE = 39;
const BACKSLASH = 92;
const ESCAPES = new Map([
  ['n', 10],
  ['r', 13],
  ['t', 9],
  ['b', 8],
  ['a', 7],
]);

function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || (byte !== undefined && byte >= 9 && byte <= 13);
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** One pass over a line; a class only to hold its places. */
class LineReader {
  readonly #line: Uint8Array;
  readonly #words: Uint8Array;
  #at = 0;
  #written = 0;

  constructor(line: Uint8Array) {
    this.#line = line;
    // Words are never longer than what was typed for them.
    this.#words = new Uint8Array(line.length);
  }

  read(into: Arguments): boolean {
    into.bytes = this.#words;
    for (;;) {
      while (isSpace(this.#line[this.#at])) this.#at += 1;
      if (this.#at >= this.#line.length) return true;
      const start = this.#written;
      if (!this.#word()) return false;
      into.add(start, this.#written);
    }
  }

  #word(): boolean {
    for (;;) {
      const byte = this.#line[this.#at];
      if (byte === undefined || isSpace(byte)) return true;
      this.#at += 1;
      if (byte === DOUBLE || byte === SINGLE) return this.#quoted(byte);
      this.#put(byte);
    }
  }

  /** The rest of a word from a quote on: the closing quote has to end it. */
  #quoted(quote: number): boolean {
    for (;;) {
      const byte = this.#line[this.#at];
      if (byte === undefined) return false;
      this.#at += 1;
      if (byte === quote) return this.#at >= this.#line.length || isSpace(this.#line[this.#at]);
      if (byte === BACKSLASH && quote === DOUBLE) this.#escape();
      else if (byte === BACKSLASH && this.#line[this.#at] === SINGLE) this.#put(this.#line[this.#at++]!);
      else this.#put(byte);
    }
  }

  #escape(): void {
    const letter = this.#line[this.#at];
    if (letter === undefined) return;
    const high = hexDigit(this.#line[this.#at + 1]);
    const low = hexDigit(this.#line[this.#at + 2]);
    if (letter === 120 && high >= 0 && low >= 0) {
      this.#put(high * 16 + low);
      this.#at += 3;
      return;
    }
    this.#put(ESCAPES.get(String.fromCharCode(letter)) ?? letter);
    this.#at += 1;
  }

  #put(byte: number): void {
    this.#words[this.#written++] = byte;
  }
}

/** Splits `line` (without its end) into words, added to `into` with bytes of their own. False: a quote is not closed. */
export function readInlineCommand(line: Uint8Array, into: Arguments): boolean {
  return new LineReader(line).read(into);
}
