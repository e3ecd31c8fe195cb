import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type SegmentFacts, chooseRun } from '../../../../src/replication/log/compaction/choose-run.ts';

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
