import { MOVE_WORDS } from './rewriter.ts';

const PART_MOVES = 8192;

/** Where records went, in parts that can be handed to another thread. */
export class MoveList {
  readonly #parts: Uint32Array[] = [];
  #part = new Uint32Array(PART_MOVES * MOVE_WORDS);
  #length = 0;

  push(a: number, b: number, mark: number, offset: number, input: number, oldOffset: number): void {
    if (this.#length === this.#part.length) {
      this.#parts.push(this.#part);
      this.#part = new Uint32Array(PART_MOVES * MOVE_WORDS);
      this.#length = 0;
    }
    const part = this.#part;
    const at = this.#length;
    part[at] = a;
    part[at + 1] = b;
    part[at + 2] = mark;
    part[at + 3] = offset;
    part[at + 4] = input;
    part[at + 5] = oldOffset;
    this.#length = at + MOVE_WORDS;
  }

  parts(): readonly Uint32Array[] {
    return [...this.#parts, this.#part.slice(0, this.#length)];
  }
}
