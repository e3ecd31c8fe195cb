import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Probe, ProbeResult } from '../../src/probes/probe.ts';
import { ProbeRunner, type ProbeVerdict } from '../../src/probes/runner.ts';
import { ManualScheduler } from '../kit/manual-scheduler.ts';

const timing = { intervalMs: 1000, fastIntervalMs: 1000, timeoutMs: 300, fall: 3, rise: 2 };
const good: ProbeResult = { good: true, detail: 'fine' };
const bad: ProbeResult = { good: false, detail: 'refused' };

function setup(look: Probe['look'], { random = 0, fastIntervalMs = 1000, scheduler = new ManualScheduler() } = {}) {
  const published: ProbeVerdict[] = [];
  const stop = new AbortController();
  const runner = new ProbeRunner({
    probe: { look },
    target: { host: '10.0.0.11', port: 9000 },
    timing: { ...timing, fastIntervalMs },
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
    assert.deepEqual(runner.observation, { verdict: 'unknown', detail: 'not probed yet', warning: '' });
    await scheduler.advance(0);
    assert.deepEqual(runner.observation, { verdict: 'unknown', detail: 'fine', warning: '' });
    await scheduler.advance(1000);
    assert.deepEqual(published, [{ verdict: 'up', detail: 'fine', warning: '' }]);
    await scheduler.advance(2000);
    assert.deepEqual(runner.observation, { verdict: 'up', detail: 'refused', warning: '' });
    await scheduler.advance(5000);
    assert.equal(probes, 9);
    assert.deepEqual(published.slice(1), [{ verdict: 'down', detail: 'refused', warning: '' }]);
    stop.abort();
    await ended;
    assert.equal(scheduler.pending, 0);
  });

  it('begins somewhere within the first interval, then keeps to the interval', async () => {
    const startsMs: number[] = [];
    const { scheduler, stop, ended } = setup(
      () => {
        startsMs.push(scheduler.monotonicMs());
        return Promise.resolve(good);
      },
      { random: 0.25 },
    );
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
    const probe: Probe['look'] = (_, signal) =>
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
    const probe: Probe['look'] = (_, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve({ good: false, detail: 'aborted' })));
    const { scheduler, published, stop, runner, ended } = setup(probe);
    await scheduler.advance(100);
    stop.abort();
    await ended;
    assert.deepEqual(published, []);
    assert.deepEqual(runner.observation, { verdict: 'unknown', detail: 'not probed yet', warning: '' });
    assert.equal(scheduler.pending, 0);
  });

  it('ends at once when it is stopped before its first probe', async () => {
    let probes = 0;
    const { scheduler, stop, ended } = setup(
      () => {
        probes += 1;
        return Promise.resolve(good);
      },
      { random: 0.5 },
    );
    stop.abort();
    await ended;
    assert.equal(probes, 0);
    assert.equal(scheduler.pending, 0);
  });

  it('probes faster while the results speak against the verdict, or there is none yet', async () => {
    const results = [good, good, good, bad, good, bad, bad, bad, bad];
    const startsMs: number[] = [];
    const { scheduler, stop, ended } = setup(
      () => {
        startsMs.push(scheduler.monotonicMs());
        return Promise.resolve(results[startsMs.length - 1] ?? bad);
      },
      { fastIntervalMs: 100 },
    );
    await scheduler.advance(5500);
    assert.deepEqual(startsMs, [0, 100, 1100, 2100, 2200, 3200, 3300, 3400, 4400, 5400]);
    stop.abort();
    await ended;
  });

  it('publishes a warning when it comes, changes and goes, but not what a failure leaves out', async () => {
    const warned: ProbeResult = { ...good, warning: 'soon' };
    const results = [good, good, warned, warned, bad, warned, good];
    let probes = 0;
    const { scheduler, published, stop, ended } = setup(() => Promise.resolve(results[probes++] ?? good));
    await scheduler.advance(9000);
    assert.deepEqual(
      published.map(({ warning }) => warning),
      ['', 'soon', ''],
    );
    stop.abort();
    await ended;
  });

  it('counts nothing of a look during which the process stood still', async () => {
    class StandingScheduler extends ManualScheduler {
      stoodStillMs = 0;
      override monotonicMs(): number {
        return super.monotonicMs() + this.stoodStillMs;
      }
    }
    const scheduler = new StandingScheduler();
    const probe: Probe['look'] = (_, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve({ good: false, detail: 'aborted' })));
    const { runner, stop, ended } = setup(probe, { scheduler });
    await scheduler.advance(200);
    scheduler.stoodStillMs = 151;
    await scheduler.advance(100);
    assert.equal(runner.observation.detail, 'not probed yet');
    await scheduler.advance(1000);
    assert.equal(runner.observation.detail, 'no answer within 300ms');
    stop.abort();
    await ended;
  });

  it('has the probe give back what it keeps when it ends', async () => {
    const closed = Promise.withResolvers<undefined>();
    const scheduler = new ManualScheduler();
    const stop = new AbortController();
    const probe: Probe = {
      look: () => Promise.resolve(good),
      close: () => {
        closed.resolve(undefined);
        return Promise.resolve();
      },
    };
    const target = { host: '10.0.0.11', port: 9000 };
    const runner = new ProbeRunner({ probe, target, timing, scheduler, random: () => 0, onChange: () => {} });
    const ended = runner.run(stop.signal);
    await scheduler.advance(0);
    stop.abort();
    await Promise.all([ended, closed.promise]);
  });
});
