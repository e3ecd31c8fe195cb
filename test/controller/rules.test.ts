import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GroupRecord } from '../../src/model/group-record.ts';
import { decide, explain } from '../../src/controller/decide.ts';
import { RULES, type Rule } from '../../src/controller/rules.ts';
import { emptyRecord } from '../../src/model/group-record.ts';
import {
  CHOSEN_B,
  GAVE_UP,
  NOW_WALL_MS,
  READY_UNDER_8,
  RESTARTED,
  SERVING,
  SILENT,
  view,
  type ViewChanges,
} from './views.ts';

interface Fixture {
  readonly rule: string;
  readonly when: string;
  readonly view: ViewChanges;
  /** What the record becomes, as far as it changes; null: it stays. */
  readonly change: Partial<GroupRecord> | null;
}

const NOTHING = emptyRecord('world');
const JUST_FAILED_OVER = { failedOverAtWallMs: NOW_WALL_MS - 5_000 };
const PROPOSAL = { id: 4, epoch: 7, inSync: ['a'] };
const WAITING = { role: 'waiting', phase: null, renouncedEpoch: 7 } as const;

const FIXTURES: readonly Fixture[] = [
  {
    rule: 'R100',
    when: 'the wall clock jumped, whatever else is wrong',
    view: { tilt: 'the wall clock jumped by 3000 ms', a: SILENT },
    change: null,
  },
  {
    rule: 'R200',
    when: 'the records are lost, and a owns the highest epoch',
    view: { record: NOTHING },
    change: { stage: 'promoting', epoch: 7, master: 'a', masterInstance: 'instance-of-a', inSync: ['a', 'b'] },
  },
  {
    rule: 'R210',
    when: 'nothing is on record, and b has the longer log',
    view: { record: NOTHING, a: { report: { ...WAITING, end: 90 } }, b: { report: { ...WAITING, end: 100 } } },
    change: { stage: 'fencing', epoch: 8, master: 'b', masterInstance: 'instance-of-b', inSync: ['b'], previous: null },
  },
  {
    rule: 'R210',
    when: 'nothing is on record, and the logs are level: the preferred node begins, both are in sync',
    view: { record: NOTHING, a: { report: WAITING }, b: { report: WAITING }, thresholds: { prefer: 'b' } },
    change: { stage: 'fencing', epoch: 8, master: 'b', inSync: ['a', 'b'] },
  },
  {
    rule: 'R210',
    when: 'the records are lost, and a may still serve under an epoch below the highest: it has to be fenced',
    view: { record: NOTHING, a: { report: { epoch: 7 } }, b: { report: { ...WAITING, epoch: 8, end: 200_000 } } },
    change: { stage: 'fencing', epoch: 9, master: 'b', previous: 'a', previousEpoch: 7, masterNeedsNoLease: false },
  },
  {
    rule: 'R290',
    when: 'the records are lost, and only one node is heard: it may be a master that was replaced long ago',
    view: { record: NOTHING, b: SILENT },
    change: null,
  },
  {
    rule: 'R290',
    when: 'nothing is on record, and one node is not heard',
    view: { record: NOTHING, a: { report: WAITING }, b: { report: null } },
    change: null,
  },
  {
    rule: 'R300',
    when: 'the grant to the former master has run out',
    view: { record: { ...CHOSEN_B, cause: 'failover' }, a: { ...SILENT, grantRunsMs: 0 } },
    change: { stage: 'promoting', inSync: ['a', 'b'], slaveExpected: false, masterNeedsNoLease: false },
  },
  {
    rule: 'R300',
    when: 'the former master renounced: nothing is waited for',
    view: { record: { ...CHOSEN_B, cause: 'switchover' }, a: { renouncedEpoch: 7, grantRunsMs: 700 } },
    change: { stage: 'promoting', slaveExpected: true },
  },
  {
    rule: 'R300',
    when: 'an operator gave up what the chosen node lacks: it begins alone',
    view: {
      record: { ...CHOSEN_B, cause: 'forced', inSync: ['a'], dataLossAccepted: true },
      a: { ...SILENT, grantRunsMs: 0 },
    },
    change: { stage: 'promoting', inSync: ['b'], masterNeedsNoLease: true },
  },
  {
    rule: 'R310',
    when: 'the chosen node fell silent: the other one gets a newer epoch, and the same node stays to be fenced',
    view: { record: CHOSEN_B, b: SILENT, a: { report: { epoch: 8, role: 'waiting', phase: null } } },
    change: { stage: 'fencing', epoch: 9, master: 'a', previous: 'a', previousEpoch: 7 },
  },
  {
    rule: 'R310',
    when: 'the chosen node was restarted: it is chosen anew, for what it has now',
    view: { record: CHOSEN_B, a: SILENT, b: { report: { epoch: 8, instance: 'later' }, renouncedEpoch: 8 } },
    change: { stage: 'fencing', epoch: 9, master: 'b', masterInstance: 'later' },
  },
  {
    rule: 'R315',
    when: 'the other node turns out to hold more than the chosen one, which lost power',
    view: { record: CHOSEN_B, a: { report: { end: 184_224 } }, b: { report: { intact: false } } },
    change: { stage: 'fencing', epoch: 9, master: 'a', previous: 'a', previousEpoch: 7 },
  },
  {
    rule: 'R320',
    when: 'the former master may serve alone without a lease, is silent, and has commands',
    view: { record: { ...CHOSEN_B, masterNeedsNoLease: true }, thresholds: { fenceable: ['a', 'b'] }, a: SILENT },
    change: { stage: 'fencing', fence: { node: 'a', epoch: 7, state: 'wanted', attempts: 0, detail: '' } },
  },
  {
    rule: 'R380',
    when: 'the chosen node lost power, and the other has not yet answered since it was chosen',
    view: {
      record: CHOSEN_B,
      a: { ...GAVE_UP, report: { ...GAVE_UP.report, assignmentRevision: 2 } },
      b: { report: { intact: false } },
    },
    change: null,
  },
  {
    rule: 'R390',
    when: 'the grant to the former master still runs',
    view: { record: CHOSEN_B, a: { ...SILENT, grantRunsMs: 300 } },
    change: null,
  },
  {
    rule: 'R390',
    when: 'the former master may serve alone without a lease, and has not given up',
    view: { record: { ...CHOSEN_B, masterNeedsNoLease: true }, a: { ...SILENT, grantRunsMs: 0 } },
    change: null,
  },
  {
    rule: 'R400',
    when: 'writes are frozen and the target holds them all',
    view: { record: { stage: 'quiescing', target: 'b' }, stageMs: 12, a: { report: { phase: 'quiesced' } } },
    change: {
      stage: 'fencing',
      epoch: 8,
      master: 'b',
      previous: 'a',
      previousEpoch: 7,
      target: null,
      cause: 'switchover',
    },
  },
  {
    rule: 'R410',
    when: 'the app of the target crashed at the last moment',
    view: {
      record: { stage: 'quiescing', target: 'b' },
      stageMs: 12,
      a: { report: { phase: 'quiesced' } },
      b: { report: { app: 'down' } },
    },
    change: { stage: 'serving', target: null },
  },
  {
    rule: 'R490',
    when: 'work under way has not ended',
    view: { record: { stage: 'quiescing', target: 'b' }, stageMs: 12, a: { report: { phase: 'quiescing' } } },
    change: null,
  },
  {
    rule: 'R500',
    when: 'the master wants to go on without its slave',
    view: { a: { report: { proposal: PROPOSAL } }, b: SILENT },
    change: { inSync: ['a'], masterNeedsNoLease: true },
  },
  {
    rule: 'R500',
    when: 'the slave is to join, and what an operator had given up of it is a matter of the past',
    view: {
      record: { inSync: ['a'], masterNeedsNoLease: true, discard: ['b'] },
      a: { report: { proposal: { ...PROPOSAL, inSync: ['a', 'b'] } } },
    },
    change: { inSync: ['a', 'b'], masterNeedsNoLease: false, discard: [] },
  },
  {
    rule: 'R510',
    when: 'the master asked to go on alone, and lost power before it did',
    view: { record: { inSync: ['a'], formerInSync: ['a', 'b'] }, a: RESTARTED },
    change: { inSync: ['a', 'b'], formerInSync: null },
  },
  {
    rule: 'R600',
    when: 'the agent of the master was restarted, and the slave is not in sync',
    view: { record: { inSync: ['a'] }, a: RESTARTED },
    change: {
      stage: 'fencing',
      epoch: 8,
      master: 'a',
      masterInstance: 'later-instance',
      previous: 'a',
      cause: 'reelected',
    },
  },
  {
    rule: 'R600',
    when: 'the agent of the master was restarted, during a pause or not: the service stays where it was',
    view: { record: { pausedUntilWallMs: NOW_WALL_MS + 60_000 }, a: RESTARTED },
    change: { stage: 'fencing', epoch: 8, master: 'a', cause: 'reelected' },
  },
  {
    rule: 'R610',
    when: 'the app of the master crashed during a pause',
    view: { record: { pausedUntilWallMs: NOW_WALL_MS + 60_000 }, a: GAVE_UP },
    change: null,
  },
  {
    rule: 'R620',
    when: 'no agent is heard, and no agent hears the other',
    view: { a: SILENT, b: SILENT },
    change: null,
  },
  {
    rule: 'R620',
    when: 'the probes of both nodes fell together while both agents say that all is well',
    view: { a: { probe: 'down', probeSinceMs: 900 }, b: { probe: 'down', probeSinceMs: 400 } },
    change: null,
  },
  {
    rule: 'R630',
    when: 'the app crashed a few seconds after a failover',
    view: { record: JUST_FAILED_OVER, a: GAVE_UP },
    change: null,
  },
  {
    rule: 'R640',
    when: 'the app of the master crashed',
    view: { a: GAVE_UP },
    change: { stage: 'fencing', epoch: 8, master: 'b', previous: 'a', previousEpoch: 7, cause: 'failover' },
  },
  {
    rule: 'R640',
    when: 'the master is heard, but its app does not answer the probe: it does not count among the candidates',
    view: { a: { probe: 'down', probeSinceMs: 20 } },
    change: { stage: 'fencing', epoch: 8, master: 'b', cause: 'failover' },
  },
  {
    rule: 'R640',
    when: 'the promoted app is not ready in time',
    view: { record: { ...CHOSEN_B, stage: 'promoting' }, stageMs: 30_001, b: { report: { epoch: 8 } } },
    change: { stage: 'fencing', epoch: 9, master: 'a', previous: 'b', previousEpoch: 8 },
  },
  {
    rule: 'R690',
    when: 'the master is silent and the slave is not in sync',
    view: { record: { inSync: ['a'] }, a: SILENT },
    change: null,
  },
  {
    rule: 'R690',
    when: 'the app of the master crashed, and failover is up to the operator',
    view: { thresholds: { mode: 'manual' }, a: GAVE_UP },
    change: null,
  },
  {
    rule: 'R700',
    when: 'the promoted app is ready and traffic has moved after a failover',
    view: { record: { ...CHOSEN_B, stage: 'promoting', cause: 'failover' }, stageMs: 8, a: GAVE_UP, b: READY_UNDER_8 },
    change: {
      stage: 'serving',
      previous: null,
      previousEpoch: 0,
      servingSinceWallMs: NOW_WALL_MS,
      failedOverAtWallMs: NOW_WALL_MS,
    },
  },
  {
    rule: 'R700',
    when: 'the same after a planned change: there is no hold-down',
    view: { record: { ...CHOSEN_B, stage: 'promoting', cause: 'switchover' }, stageMs: 8, b: READY_UNDER_8 },
    change: { stage: 'serving', failedOverAtWallMs: SERVING.failedOverAtWallMs },
  },
  {
    rule: 'R790',
    when: 'the promoted app is not ready yet',
    view: {
      record: { ...CHOSEN_B, stage: 'promoting' },
      stageMs: 8,
      b: { report: { ...READY_UNDER_8.report, phase: 'promoting' } },
    },
    change: null,
  },
  {
    rule: 'R790',
    when: 'traffic cannot be moved: that is no fault of the promoted node, however long it takes',
    view: { record: { ...CHOSEN_B, stage: 'promoting' }, stageMs: 99_000, trafficMoved: false, b: READY_UNDER_8 },
    change: null,
  },
  { rule: 'R900', when: 'both nodes are well', view: {}, change: null },
];

describe('each rule', () => {
  for (const fixture of FIXTURES) {
    it(`${fixture.rule} when ${fixture.when}`, () => {
      const before = view(fixture.view);
      const { rule, record, reason } = decide(before);
      assert.equal(rule.id, fixture.rule, reason);
      assert.notEqual(reason, '');
      if (fixture.change === null) return assert.equal(record, null);
      assert.ok(record !== null);
      const stamp = { rule: rule.id, reason, decidedAtWallMs: NOW_WALL_MS };
      assert.deepEqual({ ...record, ...fixture.change, ...stamp }, record);
      assert.ok(record.revision > before.record.revision);
      for (const { report } of before.nodes) assert.ok(record.revision > (report?.assignmentRevision ?? 0));
    });
  }

  it('has a fixture', () => {
    const shown = FIXTURES.map(({ rule }) => rule);
    assert.deepEqual(
      RULES.map(({ id }) => id).filter((id) => !shown.includes(id)),
      [],
    );
  });

  it('changes the record or says nothing of a change', () => {
    for (const { id, change, effect, to } of RULES as readonly Rule[]) {
      assert.equal(change === null, effect === '', id);
      if (change === null) assert.equal(to, null, id);
    }
  });

  it('leads to the stage that it names', () => {
    for (const { rule: id, view: changes } of FIXTURES) {
      const before = view(changes);
      const { rule, record } = decide(before);
      if (record !== null) assert.equal(record.stage, rule.to ?? before.record.stage, id);
    }
  });
});

describe('the order of the rules', () => {
  const ids = RULES.map(({ id }) => id);

  it('is that of their numbers, which name them', () => {
    assert.deepEqual(ids, ids.toSorted());
    assert.equal(new Set(ids).size, ids.length);
  });

  /** Pairs of rules that both hold: the first wins. */
  const PRECEDENCE: readonly (readonly [first: string, second: string, because: string, changes: ViewChanges])[] = [
    ['R100', 'R640', 'doubtful clocks come before a failover', { tilt: 'the process stood still', a: GAVE_UP }],
    ['R200', 'R210', 'a reign under way comes before a first one', { record: NOTHING }],
    [
      'R400',
      'R490',
      'a handover comes before waiting on',
      { record: { stage: 'quiescing', target: 'b' }, stageMs: 1, a: { report: { phase: 'quiesced' } } },
    ],
    [
      'R500',
      'R700',
      'the in-sync set is recorded before the promotion is complete',
      {
        record: { ...CHOSEN_B, stage: 'promoting' },
        stageMs: 8,
        b: { report: { ...READY_UNDER_8.report, proposal: { id: 1, epoch: 8, inSync: ['b'] } } },
      },
    ],
    [
      'R600',
      'R610',
      'a pause does not keep the only node that can from serving again',
      { record: { inSync: ['a'], pausedUntilWallMs: NOW_WALL_MS + 1 }, a: RESTARTED },
    ],
    ['R610', 'R640', 'a pause comes before a failover', { record: { pausedUntilWallMs: NOW_WALL_MS + 1 }, a: GAVE_UP }],
    ['R620', 'R690', 'suspicion comes before a verdict', { a: SILENT, b: SILENT }],
    ['R630', 'R640', 'hold-down comes before a failover', { record: JUST_FAILED_OVER, a: GAVE_UP }],
    ['R640', 'R900', 'a lost master comes before all is well', { a: GAVE_UP }],
  ];
  for (const [first, second, because, changes] of PRECEDENCE) {
    it(`${first} before ${second}: ${because}`, () => {
      const holding = explain(view(changes)).filter(({ holds }) => holds);
      assert.equal(holding[0]?.id, first);
      assert.ok(
        holding.some(({ id }) => id === second),
        `${second} holds too`,
      );
    });
  }

  it('ends, for each stage, with a rule that waits', () => {
    for (const stage of ['none', 'serving', 'quiescing', 'fencing', 'promoting'] as const) {
      const last = (RULES as readonly Rule[]).filter(({ when }) => when.some(({ stages }) => stages?.includes(stage)));
      assert.equal(last.at(-1)?.change, null, stage);
      assert.equal(last.at(-1)?.when.length, 1, stage);
    }
  });
});

describe('explain', () => {
  it('names every rule with what each of its guards finds', () => {
    const rules = explain(view({ a: GAVE_UP }));
    assert.deepEqual(
      rules.map(({ id }) => id),
      RULES.map(({ id }) => id),
    );
    const failover = rules.find(({ id }) => id === 'R640');
    assert.deepEqual(
      failover?.guards.map(({ holds, found }) => [holds, found]),
      [
        [true, 'stage is serving'],
        [true, 'a gave up epoch 7: the app crashed'],
        [true, 'mode is auto'],
        [true, 'b can'],
      ],
    );
  });
});
