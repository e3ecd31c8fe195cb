import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GROUP, otherThan } from '../rig/cluster.ts';
import { onPair, thereAndBack } from './pair.ts';

describe('a planned change', () => {
  for (const [app, traffic] of [
    ['typescript', 'vip'],
    ['typescript', 'proxy'],
    ['cpp', 'vip'],
    ['cpp', 'proxy'],
  ] as const) {
    it(`moves the service there and back without a failed write (${app}, ${traffic})`, () =>
      onPair(thereAndBack, { app, traffic }));
  }

  it('is a drain of the master: the other node serves, the drained one is not promoted', () =>
    onPair(async ({ cluster, master, history }) => {
      await cluster.hsctl('drain', GROUP, master, '--wait');
      await history.nextOk();
      const status = await cluster.status();
      assert.equal(status.master, otherThan(master));
      assert.deepEqual(status.drained, [master]);
      await cluster.hsctl('undrain', GROUP, master);
    }));
});
