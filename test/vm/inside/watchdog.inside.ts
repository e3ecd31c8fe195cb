import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemScheduler } from '../../../src/kit/clock.ts';
import { run, startProgram } from '../../../src/kit/exec.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { WatchdogKeeper } from '../../../src/traffic/watchdog/keeper.ts';
import { tool } from '../../rig/tool.ts';
import { until } from '../../rig/until.ts';

/** The kernel's own watchdog in software, told to leave it at a message when it bites. */
const DEVICE = '/dev/watchdog';
const TIMEOUT_S = 2;
const FEEDER = fileURLToPath(new URL('../../../scripts/watchdog/feed.pl', import.meta.url));

before(() => tool(['modprobe', 'softdog', 'soft_noboot=1']));
after(() => tool(['modprobe', '-r', 'softdog']));

async function bites(): Promise<number> {
  return (await tool(['dmesg'])).split('\n').filter((line) => line.includes('softdog: Triggered')).length;
}

const state = (): string => readFileSync('/sys/class/watchdog/watchdog0/state', 'utf8').trim();

function keeperOf(timeoutS = TIMEOUT_S): WatchdogKeeper {
  const parts = { scheduler: systemScheduler, logger: silentLogger, run, startProgram };
  return new WatchdogKeeper({ device: DEVICE, timeoutS, periodMs: 100 }, parts);
}

it('is fed without traffic, bites when a lease is not renewed, and is stopped by an orderly end', async () => {
  const keeper = keeperOf();
  await keeper.start();
  assert.equal(state(), 'active');
  assert.equal(readFileSync('/sys/class/watchdog/watchdog0/timeout', 'utf8').trim(), String(TIMEOUT_S));
  assert.equal(await bites(), 0);
  keeper.renewed();
  await until('the watchdog to bite under a lease that is not renewed', async () => (await bites()) === 1);
  keeper.released();
  await keeper.close();
  assert.equal(state(), 'inactive');
  assert.equal(await bites(), 1);
});

it('goes on counting when the agent that fed it is gone, and is taken over by the next', async () => {
  const earlier = await bites();
  const feeder = await startProgram(['perl', FEEDER, DEVICE, String(TIMEOUT_S)]);
  await until('the feeder to have opened it', () => state() === 'active');
  feeder.write('feed\n');
  // As when the agent is killed: the end of its input, and whatever signals come with that.
  feeder.kill('SIGTERM');
  feeder.endInput();
  await feeder.exited;
  assert.equal(state(), 'active');
  await until('the watchdog to bite', async () => (await bites()) === earlier + 1);
  const next = keeperOf();
  await next.start();
  await next.close();
  assert.equal(state(), 'inactive');
});

it('is refused where it cannot have the time that is wanted', async () => {
  await assert.rejects(keeperOf(70_000).start(), /cannot be set to 70000 s|bites after/);
  assert.equal(state(), 'inactive', 'and is not left counting');
});
