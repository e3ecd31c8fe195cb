import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { RecordsCheck } from '../../../src/daemon/controller/records-check.ts';
import { HsctlError } from '../../../src/kit/errors.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { SqliteRecords } from '../../../src/records/sqlite-records.ts';
import { ManualScheduler } from '../../kit/manual-scheduler.ts';
import { SmallDisk } from '../../rig/small-disk.ts';
import { tool } from '../../rig/tool.ts';

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
  const check = new RecordsCheck(tmpdir(), records, { ...silentLogger, error: say, info: say });
  const stop = check.start(scheduler);
  await scheduler.advance(10_000);
  assert.deepEqual([check.fault, saved], [null, [1_100]]);
  trouble = new HsctlError('disk', 'the disk failed');
  await scheduler.advance(30_000);
  assert.equal(check.fault, 'the disk failed');
  trouble = null;
  await scheduler.advance(10_000);
  assert.equal(check.fault, null);
  assert.deepEqual(said, ['decisions cannot be saved: the disk failed', 'decisions can be saved again']);
  stop();
  await scheduler.advance(60_000);
  assert.equal(saved.length, 2);
});

it('a full disk is such a trouble, also where the smallest write still fits', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hsctl-records-'));
  const state = join(folder, 'state');
  const disk = await SmallDisk.mount(state, 2);
  const records = new SqliteRecords(join(state, 'controller.db'));
  try {
    const scheduler = new ManualScheduler();
    const check = new RecordsCheck(state, records, silentLogger);
    const stop = check.start(scheduler);
    await scheduler.advance(10_000);
    assert.equal(check.fault, null);
    await disk.fill();
    await scheduler.advance(10_000);
    assert.match(check.fault ?? '', /full/);
    disk.empty();
    await scheduler.advance(10_000);
    assert.equal(check.fault, null);
    stop();
  } finally {
    records.close();
    await tool(['umount', state]);
    rmSync(folder, { recursive: true });
  }
});
