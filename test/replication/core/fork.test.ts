import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { LOG_START, type LogPosition, type Reign } from '../../../src/model/position.ts';
import { findFork } from '../../../src/replication/core/fork.ts';

/** A log as the epoch of each of its records; what is behind the fork is marked by whose log it is, for the hash. */
interface PlainLog {
  readonly epochs: readonly number[];
  readonly hashes: readonly number[];
}

function describe(log: PlainLog): { history: Reign[]; end: LogPosition } {
  const history: Reign[] = [];
  log.epochs.forEach((epoch, index) => {
    if (history.at(-1)?.epoch !== epoch) history.push({ epoch, firstSeq: index + 1 });
  });
  const seq = log.epochs.length;
  return { history, end: seq === 0 ? LOG_START : { epoch: log.epochs[seq - 1]!, seq, hash: log.hashes[seq - 1]! } };
}

function makeLog(epochs: readonly number[], salt: number, sharedLength: number): PlainLog {
  return { epochs, hashes: epochs.map((epoch, index) => (index < sharedLength ? index * 7 + epoch : salt + index)) };
}

/** The slow and obvious way: the last place up to which both logs hold the same epochs. */
function bruteForce(own: PlainLog, peer: PlainLog): { seq: number; consistent: boolean } {
  let common = 0;
  while (common < own.epochs.length && common < peer.epochs.length && own.epochs[common] === peer.epochs[common])
    common += 1;
  const rest = new Set(own.epochs.slice(common));
  // An epoch may go on in one log where it has ended in the other, but in no two ways.
  return { seq: common, consistent: !peer.epochs.slice(common).some((epoch) => rest.has(epoch)) };
}

/** All rising sequences of `length` epochs out of 1..3. */
function risingSequences(length: number): number[][] {
  if (length === 0) return [[]];
  return risingSequences(length - 1).flatMap((start) =>
    [1, 2, 3].filter((e) => e >= (start.at(-1) ?? 0)).map((e) => [...start, e]),
  );
}

function compare(own: PlainLog, peer: PlainLog): void {
  const one = describe(own);
  const other = describe(peer);
  const found = findFork(one.history, one.end, other.history, other.end);
  const mirrored = findFork(other.history, other.end, one.history, one.end);
  const expected = bruteForce(own, peer);
  assert.equal(found.kind, expected.consistent ? 'fork' : 'conflict');
  assert.equal(mirrored.kind, found.kind);
  if (found.kind !== 'fork') return;
  assert.equal(found.seq, expected.seq);
  assert.equal(found.epoch, own.epochs[expected.seq - 1] ?? 0);
  const isAnEnd = expected.seq === own.epochs.length || expected.seq === peer.epochs.length;
  const hash = expected.seq === 0 ? 0 : isAnEnd ? own.hashes[expected.seq - 1] : null;
  assert.equal(found.hash, hash);
  assert.deepEqual(mirrored, found);
}

suite('the fork of two logs', () => {
  test('is found in every pair of logs of up to six records in up to three epochs', () => {
    const logs = [0, 1, 2, 3, 4, 5, 6].flatMap(risingSequences);
    for (const own of logs) {
      for (const peer of logs) {
        const { seq } = bruteForce({ epochs: own, hashes: [] }, { epochs: peer, hashes: [] });
        compare(makeLog(own, 1000, seq), makeLog(peer, 2000, seq));
      }
    }
  });

  test('is found in long logs that grew apart', () => {
    const reigns = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 50 })), {
      maxLength: 6,
    });
    const grow = (start: readonly number[], steps: readonly [number, number][], firstEpoch: number): number[] => {
      const epochs = [...start];
      let epoch = firstEpoch;
      for (const [rise, length] of steps) {
        epoch += rise * 2;
        for (let count = 0; count < length; count += 1) epochs.push(epoch);
      }
      return epochs;
    };
    fc.assert(
      fc.property(reigns, reigns, reigns, (common, ownSteps, peerSteps) => {
        const shared = grow([], common, 0);
        const last = shared.at(-1) ?? 0;
        // Even epochs were begun here, odd ones there: no epoch has two owners.
        const own = grow(shared, ownSteps, last + (last % 2));
        const peer = grow(shared, peerSteps, last + 1 - (last % 2));
        const { seq } = bruteForce({ epochs: own, hashes: [] }, { epochs: peer, hashes: [] });
        compare(makeLog(own, 100_000, seq), makeLog(peer, 200_000, seq));
      }),
    );
  });

  test('does not exist where equal ends hide different contents', () => {
    const one = describe(makeLog([1, 1, 2], 1000, 3));
    const found = findFork(one.history, one.end, one.history, { ...one.end, hash: one.end.hash + 1 });
    assert.deepEqual(found, {
      kind: 'conflict',
      reason: 'both logs end with record 2-3, with different contents before it',
    });
  });

  const sound = { epoch: 2, seq: 9, hash: 1 };
  const malformed: [string, Reign[], LogPosition, RegExp][] = [
    [
      'epochs out of order',
      [
        { epoch: 2, firstSeq: 1 },
        { epoch: 1, firstSeq: 3 },
      ],
      { ...sound, epoch: 1 },
      /out of order/,
    ],
    [
      'seqs out of order',
      [
        { epoch: 1, firstSeq: 1 },
        { epoch: 2, firstSeq: 1 },
      ],
      sound,
      /out of order/,
    ],
    ['a missing start', [{ epoch: 2, firstSeq: 2 }], sound, /begins at record 2/],
    ['another last epoch', [{ epoch: 1, firstSeq: 1 }], sound, /does not lead to its end/],
    [
      'a reign behind the end',
      [
        { epoch: 1, firstSeq: 1 },
        { epoch: 2, firstSeq: 10 },
      ],
      sound,
      /does not lead to its end/,
    ],
    ['no history', [], sound, /does not lead to its end/],
    ['records of no epoch', [], { ...LOG_START, seq: 3 }, /is empty/],
  ];
  for (const [what, history, end, pattern] of malformed) {
    test(`is not looked for with ${what}`, () => {
      for (const found of [findFork(history, end, [], LOG_START), findFork([], LOG_START, history, end)]) {
        assert.ok(found.kind === 'conflict');
        assert.match(found.reason, pattern);
      }
    });
  }
});
