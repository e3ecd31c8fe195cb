import { jitter, type Random } from './random.ts';

/** Waiting times between tries: doubles from `firstMs` to `limitMs`, each jittered by a fifth. */
export class Backoff {
  readonly #firstMs: number;
  readonly #limitMs: number;
  readonly #random: Random;
  #nextMs: number;

  constructor(firstMs: number, limitMs: number, random: Random) {
    this.#firstMs = firstMs;
    this.#limitMs = limitMs;
    this.#random = random;
    this.#nextMs = firstMs;
  }

  /** How long to wait before the next try, in milliseconds. */
  next(): number {
    const waitMs = this.#nextMs;
    this.#nextMs = Math.min(this.#limitMs, waitMs * 2);
    return jitter(this.#random, waitMs, 0.2);
  }

  /** To be called after a success. */
  reset(): void {
    this.#nextMs = this.#firstMs;
  }
}
