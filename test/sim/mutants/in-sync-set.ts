import type { Mutant } from '../mutant.ts';

/** The in-sync set. */
export const IN_SYNC_SET: readonly Mutant[] = [
  {
    name: 'relaxes before that is on record',
    file: 'src/replication/core/membership.ts',
    find: "if (stalled) this.#propose('leaving', [this.#self]);",
    replace: 'if (stalled) this.#relax(mark);',
    faults: ['cut', 'isolate', 'kill controller', 'stop controller', 'kill agent'],
  },
  {
    name: 'tightens only once that is on record',
    file: 'src/replication/core/membership.ts',
    find: "return this.#state !== 'out';",
    replace: "return this.#state === 'in' || this.#state === 'leaving';",
    story: [
      { kind: 'cut', where: 'master>slave', after: [0, 0], for: [4, 4] },
      { kind: 'cut one way', where: 'director>master', after: [3.7, 3.95], for: [3, 4] },
      { kind: 'cut', where: 'master>slave', after: [0.2, 0.8], for: [8, 9] },
      { kind: 'cut', where: 'master>director', after: [0, 0.1], for: [8, 9] },
    ],
  },
  {
    name: 'enters before the slave holds all',
    file: 'src/replication/core/membership.ts',
    find: 'progress.attached && progress.ackedSeq >= this.#tightenedAtSeq',
    replace: 'progress.attached',
    story: [
      { kind: 'cut', where: 'master>slave', after: [0, 0], for: [4, 4] },
      { kind: 'clog', where: 'slave', after: [3.5, 3.9], for: [4, 5] },
      { kind: 'cut one way', where: 'master>slave', after: [0.3, 1.8], for: [8, 9] },
      { kind: 'cut', where: 'master>director', after: [0.2, 0.8], for: [8, 9] },
    ],
  },
  {
    name: 'takes an earlier answer for an answer',
    file: 'src/replication/core/membership.ts',
    find: ' || answeredProposal < this.#proposal.id',
    replace: '',
    story: [
      { kind: 'cut', where: 'master>slave', after: [0, 0], for: [4, 4] },
      { kind: 'cut one way', where: 'director>master', after: [3.8, 3.97], for: [12, 14] },
      { kind: 'cut', where: 'master>slave', after: [0.2, 0.8], for: [12, 14] },
      { kind: 'old orders', where: 'slave', after: [2.5, 4], for: [1, 1] },
      { kind: 'old orders', where: 'slave', after: [0.3, 1], for: [1, 1] },
      { kind: 'old orders', where: 'slave', after: [0.3, 1], for: [1, 1] },
    ],
  },
  {
    name: 'goes on alone with what is not on its disk',
    file: 'src/agent/agent-node.ts',
    find: 'if (isLetAlone && !this.#ports.syncsAlways) void',
    replace: 'if (false) void',
    story: [
      { kind: 'end agent', where: 'slave', after: [0, 0], for: [0.5, 1] },
      { kind: 'power', where: 'master', after: [0.02, 0.12], for: [0.05, 0.3] },
    ],
  },
];
