import type { Mutant } from '../mutant.ts';

/** Replies and replication. */
export const REPLICATION: readonly Mutant[] = [
  {
    name: 'replies to what is not confirmed',
    file: 'src/replication/node-replica.ts',
    find: 'return this.#control.confirmedSeq();\n    this.#lapsed',
    replace: 'return this.#log.end.seq;\n    this.#lapsed',
    faults: ['cut', 'isolate', 'crash app', 'kill agent'],
  },
  {
    name: 'confirms before it is on the disk',
    file: 'src/replication/link/ack-sender.ts',
    find: 'if (!syncBeforeAck) send',
    replace: 'if (log.end.seq >= 0) send',
    faults: ['power', 'power of both', 'slow disk'],
  },
  {
    name: 'counts as intact too early',
    file: 'src/replication/link/intact-watch.ts',
    find: 'if (this.#intact || this.#log.end.seq < this.#fromSeq) return;',
    replace: 'if (this.#intact) return;',
    story: [
      { kind: 'clog', where: 'slave', after: [0, 0], for: [2, 3] },
      { kind: 'power', where: 'slave', after: [0.05, 0.2], for: [0.05, 0.2] },
      { kind: 'isolate', where: 'master', after: [0.2, 0.9], for: [6, 9] },
    ],
  },
  {
    name: 'cuts what it acknowledged alone',
    file: 'src/agent/peer-links.ts',
    find: 'if ((aloneEnd <= sharedSeq && !untold) || ',
    replace: 'if (true || ',
    faults: ['isolate', 'cut', 'promote by force', 'promote with loss'],
  },
];
