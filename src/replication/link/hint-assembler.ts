import { HsctlError } from '../../kit/errors.ts';

/** Gathers a hint file that comes in pieces, in memory that threads share: its entries go to one of them, and they are not copied. */
export class HintAssembler {
  readonly #bytes: Uint8Array;
  #filled = 0;

  constructor(length: number) {
    this.#bytes = new Uint8Array(new SharedArrayBuffer(length));
  }

  /** Takes the next piece; gives the file once it is whole, else null. @throws HsctlError('format') if it becomes too long. */
  add(piece: Uint8Array): Uint8Array | null {
    if (this.#filled + piece.length > this.#bytes.length) {
      throw new HsctlError('format', `a hint file of ${this.#bytes.length} bytes goes on behind its end`);
    }
    this.#bytes.set(piece, this.#filled);
    this.#filled += piece.length;
    return this.#filled === this.#bytes.length ? this.#bytes : null;
  }
}
