import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HeartbeatWatch, RiseFall } from '../../src/controller/detector.ts';

/** Verdicts after each of the results: `+` good, `-` bad. */
function verdicts(detector: RiseFall, results: string): string[] {
  return results.split('').map((result, index) => {
    detector.add(result === '+', index);
    return detector.verdict;
  });
}

describe('RiseFall', () => {
  it('knows nothing until enough results are alike', () => {
    assert.deepEqual(verdicts(new RiseFall({ fall: 3, rise: 2 }), '+-+--++'), [
      'unknown',
      'unknown',
      'unknown',
      'unknown',
      'unknown',
      'unknown',
      'up',
    ]);
  });

  it('falls and rises by results in a row only', () => {
    assert.deepEqual(verdicts(new RiseFall({ fall: 3, rise: 2 }), '++--+---+-++'), [
      'unknown',
      'up',
      'up',
      'up',
      'up',
      'up',
      'up',
      'down',
      'down',
      'down',
      'down',
      'up',
    ]);
  });

  it('says when the verdict changed, and since when it holds', () => {
    const detector = new RiseFall({ fall: 2, rise: 1 });
    assert.equal(detector.changedAtMs, null);
    assert.equal(detector.add(true, 10), true);
    assert.equal(detector.add(true, 20), false);
    assert.equal(detector.changedAtMs, 10);
    assert.equal(detector.add(false, 30), false);
    assert.equal(detector.inDoubt, true);
    assert.equal(detector.add(false, 40), true);
    assert.equal(detector.inDoubt, false);
    assert.equal(detector.changedAtMs, 40);
  });

  it('is what the last results say, for any results', () => {
    const counts = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(counts, counts, fc.array(fc.boolean()), (fall, rise, results) => {
        const detector = new RiseFall({ fall, rise });
        let expected = 'unknown';
        for (const [index, good] of results.entries()) {
          const last = (count: number, wanted: boolean): boolean =>
            index + 1 >= count && results.slice(index + 1 - count, index + 1).every((each) => each === wanted);
          if (last(rise, true)) expected = 'up';
          if (last(fall, false)) expected = 'down';
          detector.add(good, index);
          assert.equal(detector.verdict, expected);
        }
      }),
    );
  });
});

describe('HeartbeatWatch', () => {
  it('gives up a connection after so many ticks without a request, once', () => {
    const watch = new HeartbeatWatch<string>(100, 3);
    watch.watch('app');
    assert.deepEqual(
      [100, 200].map((nowMs) => watch.tick(nowMs)),
      [[], []],
    );
    assert.deepEqual(watch.tick(300), ['app']);
    assert.deepEqual(watch.tick(400), []);
  });

  it('begins to count anew at each request', () => {
    const watch = new HeartbeatWatch<string>(100, 2);
    const pulse = watch.watch('app');
    assert.deepEqual(watch.tick(100), []);
    pulse.requests += 1;
    assert.deepEqual(watch.tick(200), []);
    assert.deepEqual(watch.tick(300), []);
    assert.deepEqual(watch.tick(400), ['app']);
  });

  it('keeps connections apart, and forgets those that were closed', () => {
    const watch = new HeartbeatWatch<string>(100, 2);
    const alive = watch.watch('alive');
    watch.watch('silent');
    watch.watch('closed');
    watch.forget('closed');
    for (const nowMs of [100, 200, 300]) {
      alive.requests += 1;
      assert.deepEqual(watch.tick(nowMs), nowMs === 200 ? ['silent'] : []);
    }
  });

  it('counts no silence across a stall of its own', () => {
    const watch = new HeartbeatWatch<string>(100, 2);
    watch.watch('app');
    assert.deepEqual(watch.tick(100), []);
    assert.deepEqual(watch.tick(301), []);
    assert.deepEqual(watch.tick(401), ['app']);
  });

  it('counts a tick that is merely late', () => {
    const watch = new HeartbeatWatch<string>(100, 2);
    watch.watch('app');
    watch.tick(100);
    assert.deepEqual(watch.tick(300), ['app']);
  });
});
