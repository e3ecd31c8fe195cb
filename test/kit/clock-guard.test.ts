import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClockGuard } from '../../src/kit/clock-guard.ts';
import { LeaseClock, UNNOTICED_MS } from '../../src/kit/lease-clock.ts';
import { ManualClock } from '../agent/core/core-harness.ts';

const TOLERANCE_MS = 200;

describe('the clock guard', () => {
  it('is content while somebody looks often enough and the clocks agree', () => {
    const clock = new ManualClock();
    const guard = new ClockGuard(clock, TOLERANCE_MS);
    for (let look = 0; look < 100; look += 1) {
      clock.pass(TOLERANCE_MS - 10);
      clock.jump(look % 2 === 0 ? 10 : -10);
      assert.equal(guard.look(), null);
    }
  });

  it('notices that somebody set the wall clock, in either direction, once', () => {
    for (const jumpMs of [3_000, -3_000, TOLERANCE_MS + 1]) {
      const clock = new ManualClock();
      const guard = new ClockGuard(clock, TOLERANCE_MS);
      clock.pass(50);
      clock.jump(jumpMs);
      assert.equal(guard.look(), `the wall clock jumped by ${jumpMs} ms`);
      clock.pass(50);
      assert.equal(guard.look(), null);
    }
  });

  it('notices that the machine was suspended: only the wall clock went on', () => {
    const clock = new ManualClock();
    const guard = new ClockGuard(clock, TOLERANCE_MS);
    clock.jump(60_000);
    assert.equal(guard.look(), 'the wall clock jumped by 60000 ms');
  });

  it('notices that the process stood still', () => {
    const clock = new ManualClock();
    const guard = new ClockGuard(clock, TOLERANCE_MS);
    clock.pass(TOLERANCE_MS + 1);
    assert.equal(guard.look(), `the process stood still for ${TOLERANCE_MS + 1} ms`);
  });

  it('adds up the time in which the process stood still and that in which its machine was suspended', () => {
    const clock = new ManualClock();
    const guard = new ClockGuard(clock, TOLERANCE_MS);
    clock.pass(TOLERANCE_MS - 50);
    clock.jump(TOLERANCE_MS - 50);
    assert.equal(guard.look(), `the process stood still for ${2 * TOLERANCE_MS - 100} ms`);
  });
});

describe('the lease clock', () => {
  it('is the monotonic clock while the wall clock agrees, or is set back', () => {
    const clock = new ManualClock();
    const lease = new LeaseClock(clock);
    clock.pass(500);
    assert.equal(lease.nowMs(), clock.monotonicMs());
    clock.jump(-3_000);
    assert.equal(lease.nowMs(), clock.monotonicMs());
  });

  it('counts a suspension, and a wall clock that is set forward, once', () => {
    const clock = new ManualClock();
    const lease = new LeaseClock(clock);
    clock.jump(800);
    assert.equal(lease.nowMs(), clock.monotonicMs() + 800);
    clock.pass(100);
    assert.equal(lease.nowMs(), clock.monotonicMs() + 800);
    clock.jump(-800);
    clock.jump(50);
    assert.ok(lease.nowMs() >= clock.monotonicMs() + 800, 'it never runs backwards');
  });

  it('misses no more than a few milliseconds, also of many short suspensions', () => {
    const clock = new ManualClock();
    const lease = new LeaseClock(clock);
    for (let suspension = 0; suspension < 100; suspension += 1) {
      clock.jump(1);
      lease.nowMs();
    }
    const missedMs = clock.monotonicMs() + 100 - lease.nowMs();
    assert.ok(missedMs >= 0 && missedMs <= UNNOTICED_MS, `${missedMs} ms`);
  });
});
