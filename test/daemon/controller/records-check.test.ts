import assert from 'node:assert/strict';
import { it } from 'node:test';
import { RecordsCheck } from '../../../src/daemon/controller/records-check.ts';
import { HsctlError } from '../../../src/kit/errors.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { ManualScheduler } from '../../kit/manual-scheduler.ts';

it('records that cannot be saved are known before a decision has to be, and until they can', async () => {
  const scheduler = new ManualScheduler();
  const saved: number[] = [];
  let trouble: HsctlError | null = null;
  const records = {
    longestGrantMs: () => 1_100,
    saveLongestGrantMs(durationMs: number): void {
      if (trouble !== null) throw trouble;
      saved.push(durationMs);
    },
  };
  const said: string[] = [];
  const say = (message: string): void => void said.push(message);
  const check = new RecordsCheck(records, { ...silentLogger, error: say, info: say });
  const stop = check.start(scheduler);
  await scheduler.advance(10_000);
  assert.deepEqual([check.fault, saved], [null, [1_100]]);
  trouble = new HsctlError('disk', 'the disk is full');
  await scheduler.advance(30_000);
  assert.equal(check.fault, 'the disk is full');
  trouble = null;
  await scheduler.advance(10_000);
  assert.equal(check.fault, null);
  assert.deepEqual(said, ['decisions cannot be saved: the disk is full', 'decisions can be saved again']);
  stop();
  await scheduler.advance(60_000);
  assert.equal(saved.length, 2);
});
