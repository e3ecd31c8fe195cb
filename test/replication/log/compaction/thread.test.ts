import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemScheduler } from '../../../../src/kit/clock.ts';
import { threadRewriter } from '../../../../src/replication/log/compaction/thread-rewriter.ts';
import { DiskLog } from '../../../../src/replication/log/disk-log.ts';
import { NodeDisk } from '../../../../src/replication/log/node-disk.ts';
import { threadIndexBuilder } from '../../../../src/replication/log/thread-index-builder.ts';
import { LogModel } from '../log-model.ts';
import { seeded } from '../open-log.ts';

function open(directory: string): DiskLog {
  return DiskLog.open({
    disk: new NodeDisk(),
    directory,
    segmentBytes: 256 * 1024,
    tombstonesMs: 60_000,
    fsyncAlways: false,
    clock: systemScheduler,
    readBackTimers: null,
    random: seeded(1),
    rewriter: threadRewriter(),
    startIndexBuilder: threadIndexBuilder,
    onTornTail: (tail) => assert.fail(`torn: ${JSON.stringify(tail)}`),
    onTrouble: (error) => assert.fail(error),
  });
}

function temporary(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'hsctl-compaction-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

function overwrite(log: DiskLog, round: number): void {
  for (let number = 0; number < 1000; number++) {
    const value = `${round}-${number}-`.padEnd(200, 'v');
    log.append(LogModel.bytesOf([{ kind: 'set', key: `key-${number}`, value }], 1, log.end));
  }
}

const bytesOnDisk = (directory: string): number =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);

test('a thread rewrites the files while the log is written; nothing is lost, also not by a restart', async (t) => {
  const directory = temporary(t);
  let log = open(directory);
  let runs = 0;
  for (let round = 0; round < 12; round++) {
    overwrite(log, round);
    log.setConfirmed(log.end.seq);
    await log.sync();
    if (await log.compact()) runs += 1;
  }
  while (await log.compact()) runs += 1;
  assert.ok(runs > 0);
  const check = (): void => {
    assert.equal(log.count, 1000);
    for (let number = 0; number < 1000; number++) {
      const value = log.get(Buffer.from(`key-${number}`));
      assert.ok(value !== null && Buffer.from(value).toString().startsWith(`11-${number}-v`));
    }
  };
  check();
  assert.ok(bytesOnDisk(directory) < 2 * 1000 * 270 + 2 * 256 * 1024, `${bytesOnDisk(directory)} bytes`);
  await log.close();
  log = open(directory);
  check();
  await log.close();
});

test('a log can be closed in the middle of a rewrite', async (t) => {
  const directory = temporary(t);
  const log = open(directory);
  for (let round = 0; round < 3; round++) overwrite(log, round);
  log.setConfirmed(log.end.seq);
  await log.sync();
  const compaction = log.compact();
  await new Promise((resolve) => setImmediate(resolve));
  await log.close();
  await compaction;
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.endsWith('.tmp')),
    [],
  );
});
