import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, suite, test } from 'node:test';
import type { Disk } from '../../../src/replication/log/disk.ts';
import { NodeDisk } from '../../../src/replication/log/node-disk.ts';
import { MemoryDisk } from '../../sim/memory-disk.ts';

/** What every disk must do, the simulated one like the real one: else a simulation shows nothing. */
function diskTests(name: string, make: (t: TestContext) => { disk: Disk; directory: string }): void {
  const bytes = (text: string): Uint8Array => Buffer.from(text);

  suite(name, () => {
    test('files are read as they were written, at any place, by sync and async reads', async (t) => {
      const { disk, directory } = make(t);
      const file = disk.open(`${directory}/file`, 'create');
      file.write(bytes('hello world'), 0);
      file.write(bytes('W'), 6);
      file.write(bytes('!'), 13);
      assert.equal(file.size(), 14);
      const into = new Uint8Array(20).fill(46);
      assert.equal(file.read(into, 2, 10, 6), 8);
      assert.equal(Buffer.from(into).toString(), '..World\0\0!..........');
      assert.equal(await file.readLater(into, 0, 5, 0), 5);
      assert.equal(Buffer.from(into.subarray(0, 5)).toString(), 'hello');
      assert.equal(file.read(into, 0, 5, 100), 0);
      file.truncate(5);
      assert.equal(disk.stat(`${directory}/file`)?.bytes, 5);
      await file.sync();
      file.syncNow();
      file.close();
      assert.throws(() => disk.open(`${directory}/file`, 'create'), { code: 'EEXIST' });
    });

    test('bulk is written when anybody looks', async (t) => {
      const { disk, directory } = make(t);
      const file = disk.open(`${directory}/file`, 'create');
      const text = async (): Promise<string> => {
        const into = new Uint8Array(20);
        return Buffer.from(into.subarray(0, await file.readLater(into, 0, 20, 0))).toString();
      };
      file.writeBulk(bytes('one '), 0);
      file.writeBulk(bytes('two '), 4);
      assert.equal(await text(), 'one two ');
      file.writeBulk(bytes('three'), 8);
      assert.equal(file.size(), 13);
      file.writeBulk(bytes(' four'), 13);
      file.write(bytes('FOUR'), 14);
      if (!file.hasBulkRoom) await file.bulkRoom();
      file.writeBulk(bytes('!'), 18);
      await file.finishBulk();
      assert.equal(await text(), 'one two threeFOUR!'.replace('F', ' F'));
      file.writeBulk(bytes('?'), 19);
      file.truncate(3);
      file.writeBulk(bytes(' more'), 3);
      await file.sync();
      file.writeBulk(bytes('.'), 8);
      file.flush();
      file.close();
      assert.equal(disk.stat(`${directory}/file`)?.bytes, 9);
    });

    test('names come, change and go', async (t) => {
      const { disk, directory } = make(t);
      disk.open(`${directory}/one`, 'create').close();
      disk.open(`${directory}/two`, 'create').close();
      disk.rename(`${directory}/one`, `${directory}/two`);
      disk.makeDirectory(`${directory}/folder`);
      disk.syncDirectory(directory);
      await disk.syncDirectoryLater(directory);
      assert.deepEqual(disk.list(directory).toSorted(), ['folder', 'two']);
      assert.deepEqual([disk.stat(`${directory}/folder`)?.directory, disk.stat(`${directory}/one`)], [true, null]);
      disk.remove(`${directory}/two`);
      assert.deepEqual(disk.list(directory), ['folder']);
      assert.deepEqual(disk.list(`${directory}/absent`), []);
      assert.throws(() => disk.remove(`${directory}/two`), { code: 'ENOENT' });
      assert.throws(() => disk.open(`${directory}/two`, 'write'), { code: 'ENOENT' });
    });

    test('it tells living processes from others', (t) => {
      const { disk } = make(t);
      assert.notEqual(disk.processStart(disk.pid), null);
      assert.equal(disk.processStart(0x3fff_fff0), null);
      assert.notEqual(disk.bootId(), '');
    });
  });
}

diskTests('the disk of the machine', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'hsctl-disk-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return { disk: new NodeDisk(), directory };
});

diskTests('the disk in memory', () => {
  const disk = new MemoryDisk({ random: () => 0.5 });
  disk.makeDirectory('/files');
  return { disk: disk.mount(), directory: '/files' };
});
