import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GroupRecord } from '../../src/model/group-record.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { ClosedLoop, type LoopNode } from './closed-loop.ts';
import { RECORDS } from './every-view.ts';

const LIMIT_MS = 60_000;

/** The goal of everything: one node serves, by the record too, and both are in sync. */
function isWhole({ controller, nodes, master }: ClosedLoop): boolean {
  const { stage, inSync, master: recorded } = controller.record;
  return stage === 'serving' && inSync.length === nodes.length && master?.id === recorded;
}

function describeLoop({ controller, nodes }: ClosedLoop): string {
  const { stage, epoch, master, inSync, rule, reason } = controller.record;
  const states = nodes.map(
    ({ id, harness: { core } }) => `${id}: ${core.role} ${core.phase} ${core.epoch}/${core.renouncedEpoch}`,
  );
  return `${stage} ${epoch} of ${master} (${inSync.join()}), ${rule}: ${reason}; ${states.join('; ')}`;
}

async function assertWhole(loop: ClosedLoop, what: string): Promise<void> {
  assert.ok(await loop.until(() => isWhole(loop), LIMIT_MS), `${what}: ${describeLoop(loop)}`);
}

/** What the nodes did before the controller came to this record, by the longest way that is possible. */
const PASTS: Readonly<Record<string, (loop: ClosedLoop) => void>> = {
  'both agents are restarted': ({ nodes }) => nodes.forEach((node) => node.restart()),
  'the agents know the reign before': ({ nodes, controller: { record } }) => {
    const epoch = Math.max(1, record.previousEpoch || record.epoch - 1);
    const owner = record.previous ?? record.master ?? 'a';
    nodes.forEach((node) => live(node, owner, epoch, record));
  },
  'the agents know the reign before, whose app crashed': (loop) => {
    PASTS['the agents know the reign before']?.(loop);
    for (const { harness } of loop.nodes) if (harness.core.role === 'master') harness.appFails();
  },
  'the agents know this reign': ({ nodes, controller: { record } }) => {
    const { epoch, master } = record;
    if (master !== null && (record.stage === 'serving' || record.stage === 'quiescing' || record.stage === 'promoting'))
      nodes.forEach((node) => live(node, master, epoch, record));
  },
  'one agent is restarted': ({ a }) => a.restart(),
  'the other agent is restarted': ({ b }) => b.restart(),
};

/** Lets a node take its part in a reign. */
function live({ id, harness }: LoopNode, owner: string, epoch: number, { inSync }: GroupRecord): void {
  harness.assign({ role: owner === id ? 'master' : 'slave', epoch, inSync });
  harness.lease();
  harness.ready();
}

describe('a record from which everybody is well again', () => {
  for (const [name, record] of Object.entries(RECORDS)) {
    it(`${name}: the pair serves and is in sync`, async () => {
      for (const [past, happened] of Object.entries(PASTS)) {
        for (const drained of [[], ['a'], ['b']]) {
          for (const mode of ['auto', 'manual'] as const) {
            const loop = new ClosedLoop({ ...record, revision: 20, drained }, { mode });
            happened(loop);
            await assertWhole(loop, `${past}, drained ${drained.join()}, ${mode}`);
          }
        }
      }
    });
  }
});

/** Faults that end; the loop goes on for a moment after each. */
const FAULTS: readonly ((loop: ClosedLoop, random: SeededRandom) => void)[] = [
  ({ nodes }, random) => random.pick(nodes).restart(),
  ({ nodes }, random) => void (random.pick(nodes).appUp = false),
  ({ nodes }) => nodes.forEach((node) => (node.appUp = true)),
  (loop, random) => {
    const node = random.pick(loop.nodes);
    node.linked = !node.linked;
    if (node.linked) loop.controller.onLinked(node.id);
    else loop.controller.onUnlinked(node.id);
  },
  (loop) => void (loop.peersLinked = !loop.peersLinked),
  ({ controller }, random) => {
    const to = random.pick([null, 'a', 'b']);
    void controller.promote({ to, force: random.chance(0.2), allowDataLoss: false }, 'somebody', false);
  },
  ({ controller }, random) => void controller.change({ drained: random.pick([[], ['a'], ['b']]) }, 'somebody', 'drain'),
];

function heal(loop: ClosedLoop): void {
  loop.peersLinked = true;
  for (const node of loop.nodes) {
    node.appUp = true;
    if (!node.linked) loop.controller.onLinked(node.id);
    node.linked = true;
  }
}

describe('a pair to which anything may happen', () => {
  it('has one node that serves at most, and serves again whenever the faults end', async () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = new SeededRandom(seed);
      const loop = new ClosedLoop({ ...RECORDS['a serves, b in sync']!, revision: 20 }, { holdDownMs: 2_000 });
      for (const node of loop.nodes) live(node, 'a', 7, loop.controller.record);
      for (let round = 0; round < 3; round += 1) {
        for (let fault = 0; fault < 6; fault += 1) {
          random.pick(FAULTS)(loop, random);
          for (let steps = random.int(20); steps > 0; steps -= 1) {
            await loop.step();
            const serving = loop.nodes.filter(({ harness }) => harness.core.mayReply()).map(({ id }) => id);
            assert.ok(serving.length <= 1, `seed ${seed}: both reply: ${describeLoop(loop)}`);
          }
        }
        heal(loop);
        await assertWhole(loop, `seed ${seed}, round ${round}`);
      }
    }
  });
});
