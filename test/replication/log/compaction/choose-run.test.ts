import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Run, type SegmentFacts, chooseRun } from '../../../../src/replication/log/compaction/choose-run.ts';
import { seeded } from '../open-log.ts';

const WHOLE = 1000;
/** What even an empty segment has. */
const HEADER = 48;
const segment = (bytes: number, usefulBytes: number, rest: Partial<SegmentFacts> = {}): SegmentFacts => ({
  bytes,
  usefulBytes,
  expiredBytes: 0,
  ready: true,
  ...rest,
});

test('nothing is done while most is of use', () => {
  assert.equal(chooseRun([], WHOLE), null);
  assert.equal(chooseRun([segment(1000, 1000), segment(1000, 700), segment(1000, 800)], WHOLE), null);
});

test('the segment with least of use goes first, and those like it beside it while the result is one segment', () => {
  const segments = [900, 500, 100, 150, 180, 450].map((useful) => segment(1000, useful));
  assert.deepEqual(chooseRun(segments, WHOLE), { from: 2, to: 5 });
  const full = [900, 340, 310, 330, 300].map((useful) => segment(1000, useful));
  assert.deepEqual(chooseRun(full, WHOLE), { from: 2, to: 5 });
});

test('what is not complete or not confirmed is left alone', () => {
  assert.equal(chooseRun([segment(1000, 0, { ready: false })], WHOLE), null);
  const segments = [segment(1000, 500), segment(1000, 0, { ready: false }), segment(1000, 200)];
  assert.deepEqual(chooseRun(segments, WHOLE), { from: 2, to: 3 });
});

test('old deletes count as garbage only where everything older goes with them', () => {
  const deletes = { expiredBytes: 900 };
  assert.deepEqual(chooseRun([segment(1000, 900, deletes), segment(100, 100)], WHOLE), { from: 0, to: 1 });
  assert.equal(chooseRun([segment(900, 900), segment(1000, 900, deletes)], WHOLE), null);
});

test('many small ones are joined', () => {
  const small = segment(100, 100);
  assert.deepEqual(chooseRun([segment(1000, 1000), small, small, small, small], WHOLE), { from: 1, to: 5 });
  assert.equal(chooseRun([segment(1000, 1000), small, small, small], WHOLE), null);
});

test('whatever is there: a run is of ready segments, makes no more than one segment, and ends the excess at last', () => {
  const any = fc.record({
    bytes: fc.integer({ min: 1, max: WHOLE }),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 30 }), (parts) => {
      let segments = parts.map(({ bytes, part }) => segment(bytes, Math.floor(bytes * part)));
      for (let runs = 0; ; runs++) {
        const run = chooseRun(segments, WHOLE);
        if (run === null) break;
        assert.ok(runs < 200, 'it comes to an end');
        const chosen = segments.slice(run.from, run.to);
        const stays = chosen.reduce((sum, { usefulBytes }) => sum + usefulBytes, 0);
        assert.ok(chosen.length > 0 && stays <= WHOLE);
        segments = segments.toSpliced(run.from, chosen.length, segment(stays + HEADER, stays + HEADER));
      }
      const bytes = segments.reduce((sum, each) => sum + each.bytes, 0);
      const useful = segments.reduce((sum, each) => sum + each.usefulBytes, 0);
      assert.ok(bytes <= 2 * useful + WHOLE, `${bytes} bytes for ${useful}`);
    }),
  );
});

/** A segment of a log that knows nothing but keys, each record as long as any other. */
interface Keys {
  readonly keys: number[];
  live: number;
}

const RECORDS = 4000;

/** Overwrites so many keys at random, in segments of `RECORDS`, and rewrites what is due whenever one is complete. */
function overwriteAtRandom(keys: number): { readonly copied: number; readonly most: number } {
  const writes = 80 * RECORDS;
  const random = seeded(7);
  const place = new Map<number, Keys>();
  const put = (key: number, target: Keys): void => {
    const former = place.get(key);
    if (former !== undefined) former.live -= 1;
    place.set(key, target);
    target.live += 1;
    target.keys.push(key);
  };
  let segments: Keys[] = [{ keys: [], live: 0 }];
  const nextRun = (): Run | null =>
    chooseRun(
      segments.map((each, at) => segment(each.keys.length + 1, each.live + 1, { ready: at < segments.length - 1 })),
      RECORDS,
    );
  let copied = 0;
  let most = 0;
  for (let number = 0; number < writes; number++) {
    const last = segments.at(-1)!;
    put(number < keys ? number : Math.floor(random() * keys), last);
    if (last.keys.length < RECORDS) continue;
    segments.push({ keys: [], live: 0 });
    for (let run = nextRun(); run !== null; run = nextRun()) {
      const result: Keys = { keys: [], live: 0 };
      const inputs = segments.slice(run.from, run.to);
      for (const input of inputs) for (const key of new Set(input.keys)) if (place.get(key) === input) put(key, result);
      copied += result.keys.length;
      const before = segments.reduce((sum, each) => sum + each.keys.length, 0);
      most = Math.max(most, before + result.keys.length);
      segments = segments.toSpliced(run.from, inputs.length, result);
    }
  }
  return { copied: copied / writes, most };
}

test('random overwriting copies a third of a record for each, and the disk stays within its limit', () => {
  const sizes = [0.25, 0.4, 0.7, 1.2, 1.85, 2.4, 3, 6];
  const results = sizes.map((size) => ({ size, ...overwriteAtRandom(size * RECORDS) }));
  for (const { size, most } of results)
    assert.ok(most <= 2 * (size + 1) * RECORDS, `${most} records of ${size} segments`);
  const mean = results.reduce((sum, { copied }) => sum + copied, 0) / sizes.length;
  assert.ok(mean < 0.31, `${mean} copied: ${JSON.stringify(results)}`);
});
