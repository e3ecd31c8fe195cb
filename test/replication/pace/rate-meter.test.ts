import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { RateMeter } from '../../../src/replication/pace/rate-meter.ts';

suite('rate meter', () => {
  test('shows a steady rate from early on', () => {
    const meter = new RateMeter(0);
    for (let atMs = 10; atMs <= 3000; atMs += 10) {
      meter.add(1000, atMs);
      if (atMs >= 100) assert.ok(Math.abs(meter.bytesPerSecond(atMs) - 100_000) < 2000, `at ${atMs} ms`);
    }
  });

  test('falls to nothing within two windows', () => {
    const meter = new RateMeter(0);
    meter.add(5000, 500);
    assert.equal(meter.bytesPerSecond(500), 10_000);
    assert.equal(meter.bytesPerSecond(1500), 2500);
    assert.equal(meter.bytesPerSecond(2000), 0);
    assert.equal(meter.bytesPerSecond(60_000), 0);
  });

  test('shows nothing before time has passed', () => {
    const meter = new RateMeter(7);
    meter.add(5, 7);
    assert.equal(meter.bytesPerSecond(7), 0);
  });
});
