import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TiltWatch } from '../../src/controller/tilt.ts';

const LONG = { heartbeatMs: 100, detectMs: 1000 };
const SHORT = { heartbeatMs: 20, detectMs: 100 };

/** A watch that looked a moment ago, and its clocks. */
function watching(settings = LONG) {
  const now = { monotonicMs: 10_000, wallMs: 1_000_000 };
  const watch = new TiltWatch({ monotonicMs: () => now.monotonicMs, wallMs: () => now.wallMs }, settings);
  const pass = (ms: number): string | null => {
    now.monotonicMs += ms;
    now.wallMs += ms;
    return watch.look();
  };
  return { watch, now, pass };
}

describe('TILT', () => {
  it('lasts for one detection window after the process stood still', () => {
    const { pass } = watching();
    assert.equal(pass(200), null, 'two heartbeats may pass');
    assert.match(pass(201) ?? '', /^the process stood still for 201 ms: no decisions for 1/);
    for (let ms = 100; ms < 1000; ms += 100) assert.notEqual(pass(100), null);
    assert.equal(pass(100), null);
  });

  it('begins when the clocks come apart, either way', () => {
    const { now, pass } = watching();
    for (const byMs of [-5000, 5000]) {
      now.wallMs += byMs;
      assert.match(pass(10) ?? '', /^the wall clock jumped by /);
      for (let ms = 0; ms < 1000; ms += 100) pass(100);
      assert.equal(pass(0), null);
    }
  });

  it('judges what was before other settings by the former ones', () => {
    const { watch, now, pass } = watching();
    now.monotonicMs += 500;
    now.wallMs += 500;
    watch.reconfigure(SHORT);
    for (let ms = 20; ms < 1000; ms += 20) assert.notEqual(pass(20), null);
    assert.equal(pass(20), null);
  });

  it('is not over sooner because of another doubt under a shorter window', () => {
    const { watch, now, pass } = watching();
    pass(500);
    watch.reconfigure(SHORT);
    now.wallMs += 9000;
    for (let ms = 20; ms < 1000; ms += 20) assert.notEqual(pass(20), null);
    assert.equal(pass(20), null);
  });
});
