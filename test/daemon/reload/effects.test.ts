import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GroupConfig } from '../../../src/config/config.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { planForAgent, planForController } from '../../../src/daemon/reload/effects.ts';

const FILE = `
cluster: c
groups:
  world:
    nodes:
      a: { address: 127.0.0.1, control: 1, replication: 2 }
      b: { address: 127.0.0.1, control: 3, replication: 4 }
`;

const [group] = parseConfig(FILE, 'test').config.groups;
assert.ok(group);
const GROUP: GroupConfig = group;

/** The group with another value at one place. */
function changed(value: unknown, path: readonly string[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return typeof value === 'number' ? value + 1 : 'another';
  if (Array.isArray(value)) return value.map((each: { id: string }) => (each.id === key ? changed(each, rest) : each));
  const tree = value as Record<string, unknown>;
  return { ...tree, [key]: changed(tree[key], rest) };
}

function* places(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
  if (typeof value !== 'object' || value === null || (Array.isArray(value) && path[0] !== 'nodes')) {
    yield path;
    return;
  }
  for (const [key, each] of Object.entries(value)) {
    if (Array.isArray(value)) yield* places(each, [...path, (each as { id: string }).id]);
    else yield* places(each, [...path, key]);
  }
}

describe('the effects of a reload', () => {
  it('are known for every key of a group', () => {
    const paths = [...places(GROUP)].filter(
      (path) => !['name', 'traffic'].includes(path[0] ?? '') && path.at(-1) !== 'id',
    );
    assert.ok(paths.length > 40);
    for (const path of paths) {
      const after = changed(GROUP, path) as GroupConfig;
      const plan = planForController(GROUP, after);
      const plans = [plan, planForAgent(GROUP, after, 'a'), planForAgent(GROUP, after, 'b')];
      const told = plans.flatMap(({ changes, restarts }) => [...changes, ...restarts]);
      assert.ok(told.length > 0, `${path.join(' ')} is not noticed`);
      assert.ok(!plan.restarts.some((line) => line.endsWith('when the controller is restarted')), path.join(' '));
    }
  });

  it('of another set of nodes come with a restart, and nothing of the group changes until then', () => {
    const nodes = GROUP.nodes.map((node) => (node.id === 'b' ? { ...node, id: 'c' } : node));
    const plan = planForController(GROUP, { ...GROUP, nodes, failover: { ...GROUP.failover, leaseMs: 3000 } });
    assert.deepEqual(plan.changes, []);
    assert.match(plan.restarts[0] ?? '', /its nodes are a and c, not a and b: restart the controller/);
    assert.equal(plan.inForce, GROUP);
  });

  it('on an agent leave what takes a restart as it was, and only its own node counts', () => {
    const nodes = GROUP.nodes.map((node) => ({ ...node, store: `/new/${node.id}` }));
    const after = { ...GROUP, nodes, failover: { ...GROUP.failover, leaseMs: 3000 } };
    const plan = planForAgent(GROUP, after, 'b');
    assert.equal(plan.restarts.length, 1);
    assert.deepEqual(
      planForController(GROUP, after).restarts,
      [],
      'a restart of the agent is told by the agent, which may have had it',
    );
    assert.match(plan.restarts[0] ?? '', /^nodes\.b\.store: /);
    assert.equal(plan.inForce.failover.leaseMs, 3000);
    assert.deepEqual(
      plan.inForce.nodes.map(({ store }) => store),
      ['/new/a', GROUP.nodes[1]?.store],
    );
  });
});
