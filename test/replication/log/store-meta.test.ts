import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StoreMeta } from '../../../src/replication/log/store-meta.ts';
import { MemoryDisk } from '../../sim/memory-disk.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';

const DIRECTORY = '/store';

function makeDisk(): { disk: MemoryDisk; open: () => StoreMeta } {
  const random = new SeededRandom(1);
  const disk = new MemoryDisk({ random: random.next });
  disk.makeDirectory(DIRECTORY);
  return { disk, open: () => StoreMeta.open(disk.mount(), DIRECTORY, false, random.next) };
}

describe('the durable values of a store', () => {
  it('does not take for durable what the disk refused, however often it is asked', () => {
    const { disk, open } = makeDisk();
    const meta = open();
    meta.save({ epoch: 6 });
    disk.readOnly = true;
    for (const time of [1, 2]) {
      assert.throws(() => meta.save({ epoch: 7 }), { code: 'disk' }, `time ${time}`);
      assert.equal(meta.epoch, 6);
    }
    disk.readOnly = false;
    meta.save({ epoch: 7 });
    disk.powerOff();
    assert.equal(open().epoch, 7);
  });

  it('raises the floor again where that failed', async () => {
    const { disk, open } = makeDisk();
    const meta = open();
    disk.readOnly = true;
    for (const time of [1, 2]) await assert.rejects(meta.raiseFloor(40), { code: 'disk' }, `time ${time}`);
    disk.readOnly = false;
    await meta.raiseFloor(40);
    disk.powerOff();
    assert.equal(open().floor, 40);
  });
});
