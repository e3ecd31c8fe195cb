import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { HsctlError } from '../../src/kit/errors.ts';
import { SCHEMA_VERSION } from '../../src/records/schema.ts';
import { sqliteError } from '../../src/records/sqlite-errors.ts';
import { SqliteRecords } from '../../src/records/sqlite-records.ts';
import { eventOf, recordOf, registerRecordsTests, save } from './register-records-tests.ts';

const EVENTS_PER_GROUP = 20;

registerRecordsTests('sqlite', EVENTS_PER_GROUP, () => {
  const directory = mkdtempSync(join(tmpdir(), 'hsctl-records-'));
  return {
    open: () =>
      new SqliteRecords(join(directory, 'state', 'records.db'), {
        eventsPerGroup: EVENTS_PER_GROUP,
      }),
    dispose: () => rmSync(directory, { recursive: true }),
  };
});

function inDirectory(test: (directory: string) => void | Promise<void>): () => Promise<void> {
  return async () => {
    const directory = mkdtempSync(join(tmpdir(), 'hsctl-records-'));
    try {
      await test(directory);
    } finally {
      rmSync(directory, { recursive: true });
    }
  };
}

const isDiskError = (part: RegExp) => (error: unknown) =>
  error instanceof HsctlError && error.code === 'disk' && error.hint !== '' && part.test(error.message);

describe('sqlite records on a bad file', () => {
  it(
    'names a file that is no database',
    inDirectory((directory) => {
      const path = join(directory, 'records.db');
      writeFileSync(path, 'certainly not a database, but long enough to be read as the header of one'.repeat(40));
      assert.throws(() => new SqliteRecords(path), isDiskError(/records\.db is not a database/));
    }),
  );

  it(
    'finds damage when it opens',
    inDirectory(async (directory) => {
      const path = join(directory, 'records.db');
      const records = new SqliteRecords(path);
      for (let number = 0; number < 500; number++) records.append([eventOf(`g${number}`, 'x'.repeat(200))]);
      records.close();
      const bytes = readFileSync(path);
      bytes.fill(0xa5, 3 * 4096, bytes.length - 4096);
      writeFileSync(path, bytes);
      assert.throws(() => new SqliteRecords(path), isDiskError(/is damaged/));
    }),
  );

  it(
    'refuses a file of a newer version, and leaves it as it is',
    inDirectory((directory) => {
      const path = join(directory, 'records.db');
      new SqliteRecords(path).close();
      const newer = new DatabaseSync(path);
      newer.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
      newer.close();
      assert.throws(() => new SqliteRecords(path), isDiskError(/newer hsctl/));
    }),
  );

  it(
    'keeps a second controller out',
    inDirectory((directory) => {
      const path = join(directory, 'records.db');
      const first = new SqliteRecords(path);
      assert.throws(() => new SqliteRecords(path), isDiskError(/in use by another process/));
      first.close();
      new SqliteRecords(path).close();
    }),
  );

  it(
    'settle by writing over what a failed commit may have left at the end of the log',
    inDirectory(async (directory) => {
      const path = join(directory, 'records.db');
      const records = new SqliteRecords(path);
      await save(records, recordOf('world', 1));
      for (let time = 0; time < 3; time += 1) {
        const before = readFileSync(`${path}-wal`);
        const error = await new Promise((resolve) => records.settle(resolve));
        assert.equal(error, null);
        assert.notDeepEqual(readFileSync(`${path}-wal`), before);
      }
      assert.equal(records.load().get('world')?.revision, 1);
      records.close();
    }),
  );

  it(
    'says so when the directory cannot be made',
    inDirectory((directory) => {
      writeFileSync(join(directory, 'file'), '');
      assert.throws(() => new SqliteRecords(join(directory, 'file', 'records.db')), isDiskError(/state directory/));
    }),
  );

  it(
    'names the damaged record',
    inDirectory(async (directory) => {
      const path = join(directory, 'records.db');
      const records = new SqliteRecords(path);
      await save(records, recordOf('world', 1));
      records.close();
      const raw = new DatabaseSync(path);
      raw.exec(`UPDATE records SET json = '{"group":"world"}'`);
      raw.close();
      const again = new SqliteRecords(path);
      assert.throws(() => again.load(), isDiskError(/record of group world is damaged/));
      again.close();
    }),
  );

  it('knows the codes of a full and of a read-only disk, with or without SQLite extended codes', () => {
    const thrown = (errcode: number): Error => Object.assign(new Error('database failed'), { errcode });
    assert.ok(isDiskError(/disk is full/)(sqliteError(thrown(13), 'f')));
    assert.ok(isDiskError(/cannot be written/)(sqliteError(thrown(8 | (4 << 8)), 'f')));
    assert.ok(isDiskError(/database failed/)(sqliteError(thrown(99), 'f')));
    const bug = new TypeError('a bug');
    assert.equal(sqliteError(bug, 'f'), bug);
  });
});

const WRITER = fileURLToPath(new URL('./records-writer.ts', import.meta.url));

describe('sqlite records under accidents', () => {
  it(
    'hold every save that had returned when the process was killed, record and events together',
    inDirectory(async (directory) => {
      const path = join(directory, 'records.db');
      let confirmed = 0;
      for (const linesUntilKill of [1, 7, 40]) {
        const child = spawn(process.execPath, [WRITER, path, String(confirmed)], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const closed = once(child, 'close');
        let lines = 0;
        for await (const line of createInterface(child.stdout)) {
          confirmed = Number(line);
          if (++lines === linesUntilKill) child.kill('SIGKILL');
        }
        await closed;
        const records = new SqliteRecords(path);
        const revision = records.load().get('world')?.revision ?? 0;
        assert.ok(lines >= linesUntilKill);
        assert.ok(revision >= confirmed, `revision ${revision} after ${confirmed} was confirmed`);
        const newest = records.events({ group: 'world', limit: 1 })[0];
        assert.equal(newest?.message, `revision ${revision}`);
        confirmed = revision;
        records.close();
      }
    }),
  );

  it(
    'refuse with an error of the disk when the file cannot grow, and keep what was saved',
    inDirectory(async (directory) => {
      const path = join(directory, 'records.db');
      new SqliteRecords(path).close();
      // The limit on file sizes (in blocks of 512 or 1024 bytes) stands in for a full disk.
      const child = spawn(
        'sh',
        ['-c', 'trap "" XFSZ; ulimit -f 100; exec "$@"', 'sh', process.execPath, WRITER, path, '0'],
        {
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      const closed = once(child, 'close');
      const errors = child.stderr.toArray();
      let confirmed = 0;
      for await (const line of createInterface(child.stdout)) confirmed = Number(line);
      await closed;
      assert.match(Buffer.concat(await errors).toString(), /^disk: /);
      const records = new SqliteRecords(path);
      assert.ok(confirmed > 0);
      assert.equal(records.load().get('world')?.revision, confirmed);
      records.close();
    }),
  );
});
