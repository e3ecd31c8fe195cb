import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type TestContext, suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { BUFFER_BYTES, WriteBuffers } from '../../../src/replication/log/write-buffers.ts';
import { type DirectIo, DirectWriter } from '../../../src/replication/log/direct-writer.ts';
import { NodeDisk } from '../../../src/replication/log/node-disk.ts';
import { ManualScheduler } from '../../kit/manual-scheduler.ts';
import { seeded } from './open-log.ts';

const CHILD = fileURLToPath(new URL('./endless-bulk.ts', import.meta.url));

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'hsctl-direct-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** Bytes that differ wherever they are cut. */
function numbered(length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let index = 0; index < words.length; index++) words[index] = index + 1;
  return new Uint8Array(words.buffer, 0, length);
}

/** A disk of which a test says what it takes and when; `taken` and `cached` are what went which way. */
class ToldDisk implements DirectIo {
  readonly content = new Uint8Array(64 * BUFFER_BYTES);
  readonly scheduler = new ManualScheduler();
  readonly pool = new WriteBuffers(this.scheduler);
  taken = 0;
  cached = 0;
  handles = 0;
  full = false;
  #pending: ((fails?: Error) => void)[] = [];

  writer(): DirectWriter {
    return new DirectWriter('/file', this.pool, (bytes, position) => this.#writeCached(bytes, position), this);
  }

  open(): number {
    this.handles += 1;
    return 7;
  }

  write(
    _handle: number,
    parts: readonly Uint8Array[],
    position: number,
    done: (written: number | Error) => void,
  ): void {
    this.#pending.push((fails) => {
      if (fails !== undefined) return done(fails);
      let at = position;
      for (const part of parts) {
        this.content.set(part, at);
        at += part.length;
      }
      this.taken += at - position;
      done(at - position);
    });
  }

  close(): void {
    this.handles -= 1;
  }

  /** Ends the write that goes on. */
  end(fails?: Error): void {
    this.#pending.shift()!(fails);
  }

  get writes(): number {
    return this.#pending.length;
  }

  #writeCached(bytes: Uint8Array, position: number): void {
    if (this.full) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    this.content.set(bytes, position);
    this.cached += bytes.length;
  }
}

suite('writing around the page cache', () => {
  test('leaves what was written, whatever comes between', async (t) => {
    const random = seeded(5);
    const bytes = numbered(40 * BUFFER_BYTES + 4321);
    const path = join(directory(t), 'file');
    const file = new NodeDisk().open(path, 'create');
    for (let at = 0; at < bytes.length;) {
      const length = Math.ceil(random() * random() * 4 * BUFFER_BYTES);
      file.writeBulk(bytes.subarray(at, at + length), at);
      at += Math.min(length, bytes.length - at);
      const what = random();
      if (what < 0.1) file.flush();
      else if (what < 0.2) await file.finishBulk();
      else if (what < 0.3) await file.sync();
      else if (what < 0.4) assert.equal(file.size(), at);
      else if (!file.hasBulkRoom) await file.bulkRoom();
    }
    await file.finishBulk();
    file.close();
    assert.ok(Buffer.from(bytes).equals(readFileSync(path)));
  });

  test('lets nobody truncate the file meanwhile', async (t) => {
    const file = new NodeDisk().open(join(directory(t), 'file'), 'create');
    file.writeBulk(numbered(BUFFER_BYTES), 0);
    assert.throws(() => file.truncate(0), /truncated while it is being written/);
    await file.finishBulk();
    file.truncate(0);
    file.close();
  });

  test('uses the page cache for what does not fit into memory meanwhile, and where it has to', (t) => {
    const bytes = numbered(40 * BUFFER_BYTES);
    for (const place of [directory(t), mkdtempSync('/dev/shm/hsctl-direct-')]) {
      const file = new NodeDisk().open(join(place, 'file'), 'create');
      for (let at = 0; at < bytes.length; at += 99_999) file.writeBulk(bytes.subarray(at, at + 99_999), at);
      file.flush();
      assert.ok(Buffer.from(bytes).equals(readFileSync(join(place, 'file'))));
      file.close();
      if (place.startsWith('/dev/shm')) rmSync(place, { recursive: true });
    }
  });

  test('takes all that fills a buffer, in order and one at a time', async () => {
    const disk = new ToldDisk();
    const writer = disk.writer();
    const bytes = numbered(5 * BUFFER_BYTES + 5000);
    for (let at = 0; at < bytes.length; at += 1000) writer.write(bytes.subarray(at, at + 1000), at);
    assert.equal(disk.writes, 1);
    const finished = writer.finish();
    disk.end();
    assert.equal(disk.taken, BUFFER_BYTES, 'the first when it was full');
    assert.equal(disk.writes, 1);
    disk.end();
    await finished;
    // What does not fill a sector cannot go around the page cache.
    assert.deepEqual([disk.taken, disk.cached], [5 * BUFFER_BYTES + 4096, 904]);
    assert.ok(Buffer.from(disk.content.subarray(0, bytes.length)).equals(bytes));
    writer.close();
    assert.equal(disk.handles, 0);
  });

  test('a killed process leaves all up to some place, and nothing behind it', { timeout: 60_000 }, async (t) => {
    const place = directory(t);
    for (const waitMs of [0, 20, 90]) {
      const path = join(place, `file-${waitMs}`);
      const child = spawn(process.execPath, [CHILD, path], { stdio: ['ignore', 'pipe', 'inherit'] });
      const ended = once(child, 'exit');
      await once(child.stdout, 'data');
      await pause(waitMs);
      child.kill('SIGKILL');
      await ended;
      const found = readFileSync(path);
      const whole = numbered(found.length);
      assert.ok(found.equals(whole), `${found.length} bytes`);
      rmSync(path);
    }
  });

  test('leaves a disk that is too slow to the page cache', async () => {
    const disk = new ToldDisk();
    const writer = disk.writer();
    const bytes = numbered(20 * BUFFER_BYTES);
    writer.write(bytes.subarray(0, 16 * BUFFER_BYTES), 0);
    assert.equal(writer.hasRoom, false);
    const room = writer.room();
    await disk.scheduler.advance(300);
    assert.equal(disk.cached, 0, 'whoever writes to the file now would have to wait for the disk');
    disk.end();
    await room;
    assert.equal(writer.hasRoom, true);
    assert.deepEqual([disk.taken, disk.cached, disk.writes], [BUFFER_BYTES, 15 * BUFFER_BYTES, 0]);
    writer.write(bytes.subarray(16 * BUFFER_BYTES), 16 * BUFFER_BYTES);
    assert.equal(disk.cached, 19 * BUFFER_BYTES, 'the next comes at once');
    const other = disk.writer();
    other.write(bytes.subarray(0, BUFFER_BYTES), 20 * BUFFER_BYTES);
    assert.equal(disk.cached, 20 * BUFFER_BYTES, 'of other files, too');
    await writer.finish();
    assert.ok(Buffer.from(disk.content.subarray(0, bytes.length)).equals(bytes));
    assert.ok(disk.pool.hasFree);
  });

  test('says what the system says, and keeps what was not written', async () => {
    const disk = new ToldDisk();
    const writer = disk.writer();
    const bytes = numbered(3 * BUFFER_BYTES);
    writer.write(bytes.subarray(0, 2 * BUFFER_BYTES), 0);
    disk.full = true;
    const finished = writer.finish();
    disk.end(new Error('EIO'));
    await assert.rejects(finished, { code: 'ENOSPC' });
    assert.throws(() => writer.flush(), { code: 'ENOSPC' });
    assert.throws(() => writer.write(bytes.subarray(2 * BUFFER_BYTES), 2 * BUFFER_BYTES), { code: 'ENOSPC' });
    disk.full = false;
    writer.write(bytes.subarray(2 * BUFFER_BYTES), 2 * BUFFER_BYTES);
    assert.deepEqual([disk.taken, disk.writes], [0, 0], 'no more such writes to this file');
    assert.ok(Buffer.from(disk.content.subarray(0, bytes.length)).equals(bytes));
  });

  test('what fails after it was written both ways is written once more', async () => {
    const disk = new ToldDisk();
    const writer = disk.writer();
    const bytes = numbered(BUFFER_BYTES);
    writer.write(bytes, 0);
    writer.flush();
    disk.content.fill(0);
    disk.end(new Error('EIO'));
    await writer.finish();
    assert.ok(Buffer.from(disk.content.subarray(0, bytes.length)).equals(bytes));
  });

  test('nothing is written to a file that was closed, whoever waited for it', async () => {
    const disk = new ToldDisk();
    const writer = disk.writer();
    writer.write(numbered(2 * BUFFER_BYTES), 0);
    const finished = writer.finish();
    writer.close();
    await disk.scheduler.advance(400);
    assert.equal(disk.cached, 0, 'its number may be that of another file by now');
    disk.end();
    await finished;
    assert.deepEqual([disk.handles, disk.taken, disk.cached], [0, BUFFER_BYTES, 0]);
  });

  test('a file that is closed meanwhile stays open for the system until it is done', () => {
    const disk = new ToldDisk();
    const writer = disk.writer();
    writer.write(numbered(2 * BUFFER_BYTES), 0);
    writer.close();
    assert.equal(disk.handles, 1);
    disk.end();
    assert.deepEqual([disk.handles, disk.taken, disk.writes], [0, BUFFER_BYTES, 0]);
  });
});
