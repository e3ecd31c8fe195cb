import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GroupEvent } from '../../src/model/event.ts';
import { type Cluster, GROUP, otherThan } from '../rig/cluster.ts';
import { editConfig } from '../rig/edit-config.ts';
import { onLoopback } from '../rig/loopback.ts';
import { until } from '../rig/until.ts';

/** A program that prints its arguments and what it finds in its environment. */
const tell = (...variables: readonly string[]): string[] => [
  'sh',
  '-c',
  `echo "$@" ${variables.map((name) => `"$${name}"`).join(' ')}`,
  'sh',
];

function hookEvents(cluster: Cluster): Promise<GroupEvent[]> {
  return cluster.api
    .events({ group: GROUP, limit: 500 })
    .then((events) => events.filter(({ kind }) => kind === 'hook'));
}

/** What a hook event says that its program printed. */
const printed = ({ message }: GroupEvent): string => message.split(' ms: ')[1] ?? message;

describe('hooks', () => {
  it('are told of a planned change in order, on the nodes and at the controller, and what they say is in the events', () =>
    onLoopback(async ({ cluster }) => {
      editConfig(cluster, (group) => {
        group.app['promote'] = tell('HSCTL_ROLE');
        group.app['ready'] = 'app';
        group.app['notify'] = tell('HSCTL_NODE', 'HSCTL_REASON');
        group.notify = tell('HSCTL_MASTER', 'HSCTL_CAUSE');
      });
      await cluster.hsctl('config', 'reload');
      const former = await cluster.master();
      const next = otherThan(former);
      await cluster.hsctl('promote', GROUP, next, '--wait');
      await cluster.whole();
      const events = await until('both nodes and the controller to have told', async () => {
        const told = await hookEvents(cluster);
        const has = (node: string | null, state: string): boolean =>
          told.some((event) => event.node === node && event.message.includes(`notify ${state}`));
        return has(next, 'MASTER') && has(former, 'BACKUP') && has(null, 'MASTER') && told;
      });
      const { epoch } = await cluster.status();
      const of = (node: string | null): string[] => events.filter((event) => event.node === node).map(printed);
      assert.deepEqual(of(null), [
        `GROUP ${GROUP} BACKUP 100 ${former} initial`,
        `GROUP ${GROUP} MASTER 100 ${next} switchover`,
      ]);
      assert.equal(of(next)[0], `GROUP ${GROUP} MASTER ${epoch} master`);
      assert.match(of(next)[1] ?? '', new RegExp(`^INSTANCE ${GROUP} MASTER 100 ${next} `));
      assert.match(of(former)[0] ?? '', new RegExp(`^INSTANCE ${GROUP} BACKUP 100 ${former} `));
    }));

  it('that fail, or take too long, hold nothing up, and the events say why', () =>
    onLoopback(async ({ cluster }) => {
      editConfig(cluster, (group) => {
        group.app['hookTimeout'] = '200ms';
        group.app['notify'] = ['sh', '-c', 'sleep 60'];
        group.notify = ['sh', '-c', 'echo no such table >&2; exit 7'];
      });
      await cluster.hsctl('config', 'reload');
      const next = otherThan(await cluster.master());
      await cluster.hsctl('promote', GROUP, next, '--wait');
      const status = await cluster.whole();
      assert.equal(status.master, next);
      const events = await until('the failures to be told', async () => {
        const told = await hookEvents(cluster);
        return told.some(({ node }) => node === next) && told.some(({ node }) => node === null) && told;
      });
      const messages = events.map(({ message }) => message).join('\n');
      assert.match(messages, /notify MASTER: .*: failed: .*exit code 7: no such table/);
      assert.match(messages, /notify MASTER: .*: failed: .*not done within 200 ms/);
    }));
});
