import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { checkArpSettings } from '../../../src/traffic/vip/arp-settings.ts';
import { TemporaryFolder } from '../temporary-folder.ts';

describe('checkArpSettings', () => {
  let folder: TemporaryFolder;
  beforeEach(() => {
    folder = new TemporaryFolder();
  });
  afterEach(() => folder.remove());

  const set = (name: string, ignore: number, announce: number): void => {
    const path = `net/ipv4/conf/${name}`;
    mkdirSync(join(folder.path, path), { recursive: true });
    folder.write(`${path}/arp_ignore`, `${ignore}\n`);
    folder.write(`${path}/arp_announce`, `${announce}\n`);
  };
  const found = async (): Promise<string> =>
    (await checkArpSettings(folder.path)).map(({ what, hint }) => `${what} -> ${hint}`).join('\n');

  it('tells which interfaces would answer for the address, and what would do', async () => {
    set('all', 0, 0);
    set('default', 1, 2);
    set('lo', 0, 0);
    set('eth0', 1, 0);
    set('eth1', 0, 2);
    assert.equal(
      await found(),
      'arp_ignore is less than 1 on eth1: the node answers for the address on lo, which only the director may -> sysctl -w net.ipv4.conf.all.arp_ignore=1\n' +
        'arp_announce is less than 2 on eth0: the node tells neighbours that it has the address on lo -> sysctl -w net.ipv4.conf.all.arp_announce=2',
    );
  });

  it('is content with settings for all interfaces, or for each', async () => {
    set('all', 1, 2);
    set('eth0', 0, 0);
    assert.equal(await found(), '');
    set('all', 0, 0);
    set('eth0', 2, 2);
    assert.equal(await found(), '');
  });

  it('finds nothing where there is no IPv4, and reads the settings of this machine', async () => {
    assert.equal(await found(), '');
    assert.ok(Array.isArray(await checkArpSettings()));
  });
});
