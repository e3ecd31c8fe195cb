/** Randomness as the rest of the code sees it, so that the simulator can supply a seeded one. */

import { randomInt, randomUUID } from 'node:crypto';

/** Uniform numbers in [0, 1). */
export type Random = () => number;

/** The platform's own source. */
export const systemRandom: Random = Math.random;

/** The same, 32 bits fine, for secrets: nobody foretells it from what it gave before. */
export const secretRandom: Random = () => randomInt(2 ** 32) / 2 ** 32;

/** `value` changed by at most `fraction` of itself, up or down, to keep many loops from running in step. */
export function jitter(random: Random, value: number, fraction: number): number {
  return value * (1 + (random() * 2 - 1) * fraction);
}

/** A name that nothing else in the world has, for one life of a process. */
export function uniqueId(): string {
  return randomUUID();
}
