import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { issue } from '../rig/certificates.ts';
import { NODES } from '../rig/cluster.ts';
import { failures } from '../rig/history.ts';
import { until } from '../rig/until.ts';
import { onPair } from './pair.ts';

describe('certificates that are renewed while a pair serves', () => {
  it('are in use after SIGHUP, and no link, lease or write is lost by it', () =>
    onPair(async ({ rig, cluster, history }) => {
      const tls = join(rig.dir, 'cluster', 'tls');
      const ends = async (): Promise<string> =>
        JSON.stringify((await cluster.status()).nodes.map(({ certificateEndsWallMs }) => certificateEndsWallMs));
      const [before, formerEnds] = [await cluster.status(), await ends()];
      for (const node of NODES) await issue(tls, node, { role: 'node', cluster: 'rig', name: node });
      await issue(tls, 'controller', { role: 'controller', cluster: 'rig' });
      const daemons = [cluster.controller, ...NODES.map((node) => cluster.agent(node))];
      for (const daemon of daemons) daemon.signal('SIGHUP');
      for (const daemon of daemons) await daemon.waitFor(/certificates were read again/);
      await until('the status to tell of the new ones', async () => (await ends()) !== formerEnds);
      const after = await cluster.whole();
      assert.deepEqual([after.master, after.epoch], [before.master, before.epoch]);
      for (const daemon of daemons) assert.doesNotMatch(daemon.output, /lost the (controller|agent|peer)/);
      await history.nextOk();
      assert.deepEqual(failures(history.soFar(), 0, Infinity), []);
    }));
});
