import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AddressWatch } from '../rig/address-watch.ts';
import { otherThan } from '../rig/cluster.ts';
import { HangingIp } from '../rig/hanging-ip.ts';
import { VIP } from '../rig/pair-kinds.ts';
import { until } from '../rig/until.ts';
import { onPair } from './pair.ts';

describe('an `ip` that hangs with an order to take the address when its agent is killed', () => {
  it('is gone before the next agent of the node does anything: it does not take the address from its new holder', async () => {
    const ip = new HangingIp('"addr replace"*');
    await ip.install();
    let hangs = true;
    try {
      await onPair(
        async ({ rig, cluster, master, history }) => {
          const watch = await AddressWatch.start(VIP, rig.host('a'), rig.host('b'));
          try {
            ip.arm(master);
            await ip.hangs();
            await cluster.agent(master).kill();
            hangs = false;
            await cluster.startAgent(master);
            await until('the next agent to be heard', async () => {
              const { nodes } = await cluster.status();
              return nodes.find(({ id }) => id === master)?.linked;
            });
            assert.deepEqual(ip.hanging(), []);
            ip.goOn();
            await history.nextOk();
            await cluster.whole();
          } finally {
            watch.stop();
          }
          assert.equal(await cluster.master(), otherThan(master));
          assert.deepEqual(watch.stop(), []);
        },
        { env: ({ name }) => (hangs ? ip.env(name) : {}) },
      );
    } finally {
      ip.goOn();
      ip.remove();
    }
  });
});
