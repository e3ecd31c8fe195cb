import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { VIP } from './pair-kinds.ts';
import { readEntries } from './register-entries.ts';
import { Rig } from './rig.ts';
import { SmallDisk } from './small-disk.ts';
import { until } from './until.ts';
import { Witnesses } from './witnesses.ts';

const FRIEND_LISTS = fileURLToPath(new URL('fixtures/friend-lists.ts', import.meta.url));

describe('witnesses', () => {
  it('convict two servers that serve at once, and addresses held twice', () =>
    Rig.use(async (rig) => {
      for (const node of ['a', 'b']) {
        const host = rig.host(node);
        const server = await host.spawn([process.execPath, FRIEND_LISTS, '9000'], { name: 'server' });
        await server.waitFor(/listening/);
      }
      const witnesses = await Witnesses.start(rig, `${rig.host('a').address}:9000`, VIP);
      await rig.host('a').run(['ip', 'addr', 'add', `${VIP}/32`, 'dev', 'eth0']);
      const asked = (node: string): number => readEntries(join(rig.host(node).dir, 'registers.ndjson')).length;
      await until('both to be asked often enough', () => asked('a') > 100 && asked('b') > 100);
      await rig.host('b').run(['ip', 'addr', 'add', `${VIP}/32`, 'dev', 'eth0']);
      const { looks } = witnesses;
      await until('some more looks', () => witnesses.looks > looks + 10);
      const { violations, bothServed, bothHeld } = await witnesses.stop();
      assert.notDeepEqual(violations, []); // what is written to one is not found at the other
      assert.notDeepEqual(bothServed, []);
      assert.notDeepEqual(bothHeld, []);
    }));
});

describe('a small disk', () => {
  it('can be filled and emptied, and goes with the rig', () =>
    Rig.use(async (rig) => {
      const folder = join(rig.host('a').dir, 'store');
      const disk = await SmallDisk.mount(folder, 2);
      await disk.fill();
      assert.throws(() => writeFileSync(join(folder, 'more'), Buffer.alloc(1 << 16)), /ENOSPC/);
      disk.empty();
      writeFileSync(join(folder, 'more'), Buffer.alloc(1 << 16));
    }));
});
