import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ROLE_RULES, type RoleSignal } from '../../../src/agent/core/role-rules.ts';
import { assignmentFor } from '../../../src/controller/derive.ts';
import type { Assignment } from '../../../src/model/assignment.ts';
import { STAGES } from '../../../src/model/group-record.ts';
import { REIGN_PHASES, ROLES } from '../../../src/model/roles.ts';
import { view } from '../../controller/views.ts';
import { checkConsistent } from './consistent.ts';
import { GRANT_MS } from './core-harness.ts';
import { DEEDS, reach, reachable, type Agent } from './reachable.ts';

const STATES = reachable(6);

/** Every assignment that derive gives to node a for records of this epoch, whoever owns it. */
function assignments(epoch: number, instance: string): Assignment[] {
  const found: Assignment[] = [];
  for (const stage of STAGES) {
    for (const master of ['a', 'b'] as const) {
      for (const masterInstance of [instance, 'former-run']) {
        for (const inSync of [['a', 'b'], [master]]) {
          for (const discard of [[], ['a']]) {
            const target = stage === 'quiescing' ? (master === 'a' ? 'b' : 'a') : null;
            const record = { stage, master, masterInstance, epoch, inSync, discard, target, revision: 1_000 };
            const present = view({ record });
            const assignment = assignmentFor(present, present.nodes[0]!);
            if (assignment !== null) found.push(assignment);
          }
        }
      }
    }
  }
  return found;
}

/** Whether a controller could give this to an agent that is in this state: an epoch has one owner. */
function isPossible({ owners }: Agent, { epoch, role, master }: Assignment): boolean {
  const owner = owners.get(epoch);
  return owner === undefined || (owner === master && role !== 'wait');
}

/** What has to come of an assignment that counts. */
function checkObeyed({ harness }: Agent, assignment: Assignment, before: string, what: string): void {
  const { core } = harness;
  const { epoch, role, inSync, mayDiscard } = assignment;
  assert.equal(core.epoch, epoch, what);
  if (role === 'wait') {
    assert.ok(core.role === 'waiting' || (core.role === 'diverged' && before === 'diverged'), what);
  } else if (role === 'slave') {
    const mayFollow = before !== 'diverged' || mayDiscard;
    if (core.storeFailed) assert.ok(core.role !== 'slave' || (mayFollow && !inSync.includes('a')), what);
    else assert.equal(core.role === 'slave', mayFollow, what);
    assert.equal(core.posture().serves, false, what);
  } else if (core.role !== 'master') {
    core.onTrafficGone();
    assert.ok(core.renouncedEpoch >= epoch, `${what}: who does not take the epoch renounces it`);
  }
}

function ruleIds(signal: RoleSignal): string[] {
  return ROLE_RULES.filter(({ on }) => on === signal).map(({ id }) => id);
}

describe('an agent', () => {
  it('can be in every role and phase', () => {
    const keys = STATES.map(({ key }) => JSON.parse(key) as [string, string | null]);
    for (const role of ROLES)
      assert.ok(
        keys.some(([found]) => found === role),
        role,
      );
    for (const phase of REIGN_PHASES)
      assert.ok(
        keys.some(([, found]) => found === phase),
        phase,
      );
    assert.ok(STATES.length > 500, `${STATES.length} states`);
  });

  it('does, in each state it can be in, what any assignment says; its epochs never fall', () => {
    let orders = 0;
    const rules = new Set<string>();
    for (const { way } of STATES) {
      const { core: present, instance } = reach(way).harness;
      for (const ahead of [-1, 0, 1]) {
        for (const assignment of assignments(present.epoch + ahead, instance)) {
          const agent = reach(way);
          if (!isPossible(agent, assignment)) continue;
          const { core } = agent.harness;
          const { epoch, renouncedEpoch, role } = core;
          const { role: order, epoch: of, inSync, quiesce } = assignment;
          const what = `${way.map(({ name }) => name).join(', ')}; then ${order} of ${of} (${inSync.join()}) ${quiesce}`;
          core.onAssignment(assignment);
          orders += 1;
          rules.add(core.rule);
          checkConsistent(agent.harness, what);
          assert.ok(core.epoch >= epoch && core.renouncedEpoch >= renouncedEpoch, what);
          if (of >= epoch) checkObeyed(agent, assignment, role, what);
          else assert.deepEqual([core.epoch, core.role], [epoch, role], `${what}: an old word`);
          const after = [core.epoch, core.role, core.renouncedEpoch];
          core.onAssignment({ ...assignment, revision: assignment.revision - 1, role: 'wait' });
          rules.add(core.rule);
          assert.deepEqual([core.epoch, core.role, core.renouncedEpoch], after, `${what}: an older word of the epoch`);
        }
      }
    }
    assert.ok(orders > 20_000, `${orders} orders`);
    assert.deepEqual([...rules].toSorted(), ruleIds('assignment'), 'each rule counts somewhere');
  });

  it('has a rule, and each rule its place, for whatever else may change its role', () => {
    const rules = new Set<string>();
    for (const { way } of STATES) {
      for (const deed of DEEDS) {
        const agent = reach(way);
        deed.act(agent);
        rules.add(agent.harness.core.rule);
      }
    }
    const others = ['greeting', 'logs parted', 'store failed', 'app unfit', 'stop'] as const;
    for (const id of others.flatMap((on) => ruleIds(on))) assert.ok(rules.has(id), id);
  });

  it('can serve again, and follow again, from each state that it can be in', () => {
    for (const { way } of STATES) {
      for (const role of ['master', 'slave'] as const) {
        const agent = reach(way);
        const what = `${way.map(({ name }) => name).join(', ')}; then ${role}`;
        // A disk that failed takes a new start, a log that has parted an operator's word: no state needs more.
        if (agent.harness.core.storeFailed) agent.restart();
        const { harness } = agent;
        const { core } = harness;
        core.onTrafficGone();
        harness.assign({ role, epoch: core.epoch + 1, mayDiscard: role === 'slave' });
        checkConsistent(harness, what);
        if (role === 'slave') {
          assert.equal(core.role, 'slave', what);
          continue;
        }
        harness.pass(2 * GRANT_MS);
        harness.lease();
        harness.ready();
        checkConsistent(harness, what);
        assert.equal(core.posture().serves, true, what);
      }
    }
  });

  it('never takes a step back, in its epochs, by anything that happens to it', () => {
    for (const { way } of STATES) {
      for (const deed of DEEDS) {
        const agent = reach(way);
        const { epoch, renouncedEpoch } = agent.harness.core;
        deed.act(agent);
        const { core } = agent.harness;
        const what = `${way.map(({ name }) => name).join(', ')}; then ${deed.name}`;
        assert.ok(core.epoch >= epoch && core.renouncedEpoch >= renouncedEpoch, what);
        assert.ok(core.epoch === 0 || agent.harness.memory.epoch === core.epoch, `${what}: durable`);
      }
    }
  });
});
