import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Promotion } from '../../src/model/answers.ts';
import type { GroupEvent } from '../../src/model/event.ts';
import { type Cluster, GROUP, otherThan } from '../rig/cluster.ts';
import { heldBy, onPair } from './pair.ts';

/** What an event on record says was done, in the words of a plan. */
function stepsOf({ kind, rule, phasesMs }: GroupEvent): string[] {
  switch (rule) {
    case 'R400': // the master had frozen its writes, and the target held them all
      return ['quiesce', 'freeze', 'decide'];
    case 'operator':
      return kind === 'operator' ? ['asked'] : [];
    case 'R300':
      return ['fence'];
    case 'R700':
      return ['promote', 'ready', 'traffic'].filter((phase) => phasesMs !== null && phase in phasesMs);
    default:
      return [];
  }
}

async function promote(cluster: Cluster, ...args: readonly string[]): Promise<Promotion['plan']> {
  return (JSON.parse(await cluster.hsctl('promote', GROUP, ...args, '--json')) as Promotion).plan;
}

/** Events since the one with this id. */
function since(cluster: Cluster, afterId: number): Promise<readonly GroupEvent[]> {
  return cluster.api.events({ group: GROUP, afterId, limit: 100 });
}

/** Plans, sees that nothing came of it, does the same for real; gives the plan and what was done by it. */
async function planAndDo(cluster: Cluster, to: string): Promise<{ plan: Promotion['plan']; done: string[] }> {
  const before = await cluster.status();
  const lastId = before.lastEvent?.id ?? 0;
  const plan = await promote(cluster, to, '--dry-run');
  assert.deepEqual(await since(cluster, lastId), [], 'a dry run leaves no trace');
  assert.deepEqual([plan.from, plan.to, plan.refusals], [before.master, to, []]);
  const real = await promote(cluster, to);
  assert.deepEqual(real.steps, plan.steps);
  const { epoch } = await cluster.status();
  assert.ok(plan.steps.some(({ description }) => description === `epoch ${epoch} of ${to} is put on record`));
  const events = await since(cluster, lastId);
  return { plan, done: events.flatMap(stepsOf) };
}

describe('the plan of hsctl promote --dry-run', () => {
  it('is what the real run does, step by step, in a planned change', () =>
    onPair(async ({ cluster, master, history }) => {
      const { plan, done } = await planAndDo(cluster, otherThan(master));
      assert.deepEqual(done, ['asked', ...plan.steps.map(({ name }) => name)]);
      assert.ok(done.includes('quiesce'));
      await history.nextOk();
    }));

  it('and where the master is lost, whose work nobody can end', () =>
    onPair(async ({ cluster, master, history }) => {
      await cluster.hsctl('pause', GROUP, '--for', '1h');
      await cluster.app(master).kill();
      await heldBy(cluster, 'R610');
      const { plan, done } = await planAndDo(cluster, otherThan(master));
      // The operator's word is itself the decision.
      assert.deepEqual(
        done,
        plan.steps.map(({ name }) => (name === 'decide' ? 'asked' : name)),
      );
      assert.ok(!done.includes('quiesce'));
      await history.nextOk();
    }));

  it('is refused in the same words as the real run', () =>
    onPair(async ({ cluster, master }) => {
      const slave = otherThan(master);
      await cluster.hsctl('drain', GROUP, slave);
      const wish = { group: GROUP, operator: 'rig', node: slave, force: false, allowDataLoss: false };
      const planned = await cluster.api.promote({ ...wish, dryRun: true });
      assert.deepEqual(planned.plan.refusals, [`${slave} is drained (promote --force does it all the same)`]);
      assert.equal(planned.started, false);
      await assert.rejects(cluster.api.promote({ ...wish, dryRun: false }), {
        message: planned.plan.refusals.join('; '),
      });
      assert.equal(await cluster.master(), master);
      await cluster.hsctl('undrain', GROUP, slave);
    }));
});
