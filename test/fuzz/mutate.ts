import { SeededRandom } from '../sim/seeded-random.ts';

/** Numbers that lengths and counts are wrong at. */
const EDGES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
const MOST_CHANGES = 6;

/**
 * Makes inputs of good ones, quickly enough for a million: bits flipped, bytes set, lengths replaced by numbers at the edge,
 * pieces cut out, repeated, or taken from another input. The same seed gives the same inputs.
 */
export class Mutator {
  readonly #random: SeededRandom;
  readonly #samples: readonly Uint8Array[];
  readonly #scratch: Buffer;

  constructor(samples: readonly Uint8Array[], seed: number) {
    this.#random = new SeededRandom(seed);
    this.#samples = samples;
    const longest = Math.max(...samples.map((sample) => sample.length));
    this.#scratch = Buffer.alloc((MOST_CHANGES + 1) * longest + 64);
  }

  /** The next input: a view that is good until the next call. */
  next(): Buffer {
    const random = this.#random;
    const sample = random.pick(this.#samples);
    this.#scratch.set(sample);
    let length = sample.length;
    for (let changes = 1 + random.int(MOST_CHANGES); changes > 0; changes -= 1) length = this.#change(length);
    return this.#scratch.subarray(0, length);
  }

  /** Where to cut an input in two. */
  cut(input: Uint8Array): number {
    return this.#random.int(input.length + 1);
  }

  #change(length: number): number {
    const random = this.#random;
    const bytes = this.#scratch;
    const at = random.int(length + 1);
    switch (random.int(7)) {
      case 0:
        if (at < length) bytes[at]! ^= 1 << random.int(8);
        return length;
      case 1:
        if (at < length) bytes[at] = random.int(256);
        return length;
      case 2:
        if (at + 4 <= length) bytes.writeUInt32LE(random.pick(EDGES), at);
        return length;
      case 3:
        return random.chance(0.3) ? at : length;
      case 4: {
        const end = Math.min(length, at + 1 + random.int(16));
        bytes.copyWithin(at, end, length);
        return length - (end - at);
      }
      case 5:
        return this.#insert(bytes.subarray(at, Math.min(length, at + 1 + random.int(16))), at, length);
      default: {
        const other = random.pick(this.#samples);
        const from = random.int(other.length);
        return this.#insert(other.subarray(from, from + 1 + random.int(24)), at, length);
      }
    }
  }

  #insert(piece: Uint8Array, at: number, length: number): number {
    const bytes = this.#scratch;
    if (length + piece.length > bytes.length) return length;
    const copy = Uint8Array.from(piece);
    bytes.copyWithin(at + copy.length, at, length);
    bytes.set(copy, at);
    return length + copy.length;
  }
}
