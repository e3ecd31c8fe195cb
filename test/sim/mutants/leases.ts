import type { Mutant } from '../mutant.ts';

/** Leases. */
export const LEASES: readonly Mutant[] = [
  {
    name: 'a lease is held for too long',
    file: 'src/kit/lease.ts',
    find: 'sentAtMs + leaseMs * (1 - CLOCK_DRIFT)',
    replace: 'sentAtMs + leaseMs * 1.5',
  },
  {
    name: 'a grant is forgotten',
    file: 'src/kit/lease.ts',
    find: 'Math.max(this.#runsUntilMs, nowMs + grantMs)',
    replace: 'this.#runsUntilMs',
  },
  {
    name: 'a restarted grantor does not wait',
    file: 'src/kit/lease.ts',
    find: 'this.#runsUntilMs = startedAtMs + longestGrantMs;',
    replace: 'this.#runsUntilMs = -Infinity;',
    story: [
      { kind: 'cut', where: 'master>slave', after: [0, 0], for: [4, 6] },
      { kind: 'cut', where: 'master>director', after: [1.2, 1.4], for: [4, 6] },
      { kind: 'kill controller', where: 'director', after: [0.02, 0.1], for: [0.02, 0.1] },
    ],
  },
  {
    name: 'an old renunciation ends a new grant',
    file: 'src/kit/lease.ts',
    find: 'if (epoch >= this.#epoch) this.#runsUntilMs',
    replace: 'this.#runsUntilMs',
  },
  {
    name: 'what outlives the lease is not waited for',
    file: 'src/kit/lease.ts',
    find: ' + lingerMs;',
    replace: ' + 0 * lingerMs;',
    faults: ['kill agent', 'isolate', 'stop agent'],
  },
  {
    name: 'suspensions prolong a lease',
    file: 'src/kit/lease-clock.ts',
    find: 'this.#addedMs += Math.max(0, stepMs);',
    replace: '',
    faults: ['suspend', 'isolate', 'cut'],
  },
];
