import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decide, explain } from '../../src/controller/decide.ts';
import { RULES, type Rule } from '../../src/controller/rules.ts';
import { CHOSEN_B, GAVE_UP, NOW_WALL_MS, READY_UNDER_8, RESTARTED, SILENT, view, type ViewChanges } from './views.ts';
import { FIXTURES, NOTHING, JUST_FAILED_OVER } from './rule-fixtures.ts';

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

  it('tells the rules behind the one that decides from those before it', () => {
    const decided = view({ a: GAVE_UP });
    const rules = explain(decided);
    const deciding = rules.findIndex(({ holds }) => holds);
    assert.equal(rules[deciding]?.id, decide(decided).rule.id);
    assert.deepEqual(
      rules.map(({ reached }) => reached),
      rules.map((_, index) => index <= deciding),
    );
    assert.ok(rules.slice(deciding + 1).some(({ holds }) => holds));
  });
});
