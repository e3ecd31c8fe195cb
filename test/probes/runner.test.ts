import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Probe, ProbeResult } from '../../src/probes/probe.ts';
import { ProbeRunner, type ProbeVerdict } from '../../src/probes/runner.ts';
import { ManualScheduler } from '../kit/manual-scheduler.ts';

const timing = { intervalMs: 1000, timeoutMs: 300, fall: 3, rise: 2 };
const good: ProbeResult = { good: true, detail: 'fine' };
const bad: ProbeResult = { good: false, detail: 'refused' };

function setup(probe: Probe, random = 0) {
  const scheduler = new ManualScheduler();
  const published: ProbeVerdict[] = [];
  const stop = new AbortController();
  const runner = new ProbeRunner({
    probe,
    target: { host: '10.0.0.11', port: 9000 },
    timing,
    scheduler,
    random: () => random,
    onChange: (verdict) => published.push(verdict),
  });
  return { scheduler, published, stop, runner, ended: runner.run(stop.signal) };
}

describe('ProbeRunner', () => {
  it('publishes the verdict when it changes, and only then', async () => {
    const results = [good, good, good, bad, bad, good, bad, bad, bad, bad];
    let probes = 0;
    const { scheduler, published, stop, runner, ended } = setup(() => Promise.resolve(results[probes++] ?? bad));
    assert.deepEqual(runner.observation, { verdict: 'unknown', detail: 'not probed yet' });
    await scheduler.advance(0);
    assert.deepEqual(runner.observation, { verdict: 'unknown', detail: 'fine' });
    await scheduler.advance(1000);
    assert.deepEqual(published, [{ verdict: 'up', detail: 'fine' }]);
    await scheduler.advance(2000);
    assert.deepEqual(runner.observation, { verdict: 'up', detail: 'refused' });
    await scheduler.advance(5000);
    assert.equal(probes, 9);
    assert.deepEqual(published.slice(1), [{ verdict: 'down', detail: 'refused' }]);
    stop.abort();
    await ended;
    assert.equal(scheduler.pending, 0);
  });

  it('begins somewhere within the first interval, then keeps to the interval', async () => {
    const startsMs: number[] = [];
    const { scheduler, stop, ended } = setup(() => {
      startsMs.push(scheduler.monotonicMs());
      return Promise.resolve(good);
    }, 0.25);
    await scheduler.advance(3500);
    assert.deepEqual(startsMs, [250, 1250, 2250, 3250]);
    stop.abort();
    await ended;
  });

  it('hands over its target', async () => {
    const targets: unknown[] = [];
    const { scheduler, stop, ended } = setup((target) => {
      targets.push(target);
      return Promise.resolve(good);
    });
    await scheduler.advance(0);
    assert.deepEqual(targets, [{ host: '10.0.0.11', port: 9000 }]);
    stop.abort();
    await ended;
  });

  it('calls a probe off when its time is over, and starts no other before it is gone', async () => {
    const reasons: unknown[] = [];
    const lingering: (() => void)[] = [];
    const probe: Probe = (_, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => reasons.push(signal.reason));
        lingering.push(() => resolve(good));
      });
    const { scheduler, stop, runner, ended } = setup(probe);
    await scheduler.advance(299);
    assert.equal(reasons.length, 0);
    await scheduler.advance(1);
    assert.deepEqual(reasons.map(String), ['Error: no answer within 300ms']);
    // The verdict does not wait for the probe to be gone, the next probe does.
    assert.equal(runner.observation.detail, 'no answer within 300ms');
    await scheduler.advance(5000);
    assert.equal(lingering.length, 1);
    lingering[0]?.();
    await scheduler.advance(0);
    assert.equal(lingering.length, 2);
    stop.abort();
    lingering[1]?.();
    await ended;
    assert.equal(scheduler.pending, 0);
  });

  it('calls the probe off when it is stopped itself, and publishes nothing more', async () => {
    const probe: Probe = (_, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve({ good: false, detail: 'aborted' })));
    const { scheduler, published, stop, runner, ended } = setup(probe);
    await scheduler.advance(100);
    stop.abort();
    await ended;
    assert.deepEqual(published, []);
    assert.deepEqual(runner.observation, { verdict: 'unknown', detail: 'not probed yet' });
    assert.equal(scheduler.pending, 0);
  });

  it('ends at once when it is stopped before its first probe', async () => {
    let probes = 0;
    const { scheduler, stop, ended } = setup(() => {
      probes += 1;
      return Promise.resolve(good);
    }, 0.5);
    stop.abort();
    await ended;
    assert.equal(probes, 0);
    assert.equal(scheduler.pending, 0);
  });
});
