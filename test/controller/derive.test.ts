import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assignmentFor, desiredTraffic, mayGrant } from '../../src/controller/derive.ts';
import { emptyRecord, STAGES } from '../../src/model/group-record.ts';
import { CHOSEN_B, GAVE_UP, READY_UNDER_8, SERVING, SILENT, view, type ViewChanges } from './views.ts';

function rolesOf(changes: ViewChanges): (string | undefined)[] {
  const present = view(changes);
  return present.nodes.map((node) => assignmentFor(present, node)?.role);
}

describe('assignments', () => {
  it('are given to nobody while nothing is on record', () => {
    assert.deepEqual(rolesOf({ record: emptyRecord('world') }), [undefined, undefined]);
  });

  it('make one node master, whatever the stage, and nobody while a reign is set up', () => {
    assert.deepEqual(rolesOf({}), ['master', 'slave']);
    assert.deepEqual(rolesOf({ record: { stage: 'quiescing', target: 'b' } }), ['master', 'slave']);
    assert.deepEqual(rolesOf({ record: { ...CHOSEN_B, stage: 'promoting' } }), ['slave', 'master']);
    assert.deepEqual(rolesOf({ record: CHOSEN_B }), ['slave', 'wait']);
  });

  it('tell everything that the record says', () => {
    const present = view({ record: { discard: ['b'], reason: 'b can' }, b: { report: { renouncedEpoch: 7 } } });
    assert.deepEqual(assignmentFor(present, present.nodes[0]!), {
      revision: 3,
      epoch: 7,
      role: 'master',
      master: 'a',
      masterInstance: 'instance-of-a',
      inSync: ['a', 'b'],
      slaveExpected: true,
      mayServeAlone: false,
      peerRenouncedEpoch: 7,
      quiesce: false,
      drain: 'no',
      mayDiscard: false,
      answeredProposal: 0,
      reason: 'b can',
    });
    const toSlave = assignmentFor(present, present.nodes[1]!);
    assert.equal(toSlave?.mayDiscard, true);
    assert.equal(toSlave.peerRenouncedEpoch, 6);
  });

  it('ask the master to quiesce once no new work comes, or the drivers have had their time', () => {
    const asks = (change: ViewChanges): boolean | undefined => {
      const present = view({ record: { stage: 'quiescing', target: 'b' }, ...change });
      return assignmentFor(present, present.nodes[0]!)?.quiesce;
    };
    assert.deepEqual(
      [
        asks({ trafficMoved: false, stageMs: 20 }),
        asks({ trafficMoved: true, stageMs: 20 }),
        asks({ trafficMoved: false, stageMs: 501 }),
        asks({ trafficMoved: false, stageMs: 501, thresholds: { finishWorkMs: 3_000 } }),
        asks({ trafficMoved: false, stageMs: 3_001, thresholds: { finishWorkMs: 3_000 } }),
      ],
      [false, true, true, false, true],
    );
  });

  it('ask the master to quiesce during a switchover, and answer its latest proposal', () => {
    const proposal = { id: 9, epoch: 7, inSync: ['a', 'b'] };
    const present = view({ record: { stage: 'quiescing', target: 'b' }, a: { report: { proposal } } });
    const assignment = assignmentFor(present, present.nodes[0]!);
    assert.equal(assignment?.quiesce, true);
    assert.equal(assignment.answeredProposal, 9);
  });
});

describe('a lease', () => {
  it('is granted to the recorded master under the recorded epoch only, and never while a reign is set up', () => {
    const grantable = STAGES.filter((stage) => mayGrant({ ...SERVING, stage }, 'a', 7));
    assert.deepEqual(grantable, ['serving', 'quiescing', 'promoting']);
    assert.equal(mayGrant(SERVING, 'b', 7), false);
    assert.equal(mayGrant(SERVING, 'a', 6), false);
    assert.equal(mayGrant(SERVING, 'a', 8), false);
  });
});

describe('traffic', () => {
  const promoting = { ...CHOSEN_B, stage: 'promoting' } as const;

  const cases: readonly (readonly [what: string, changes: ViewChanges, active: string | null])[] = [
    ['goes to a master that is ready', {}, 'a'],
    ['goes to a promoted node once its app is ready', { record: promoting, b: READY_UNDER_8 }, 'b'],
    [
      'waits for the word of the promoted app',
      { record: promoting, b: { report: { ...READY_UNDER_8.report, phase: 'promoting' } } },
      null,
    ],
    ['waits while the former master is fenced', { record: CHOSEN_B }, null],
    ['leaves a master that gave up', { a: GAVE_UP }, null],
    ['waits, as far as it is new, while the master is quiesced', { record: { stage: 'quiescing', target: 'b' } }, null],
    ['stays with a master that is not heard, as long as it is not replaced', { a: SILENT }, 'a'],
    ['waits for a master that reports an older epoch', { record: { epoch: 8 } }, null],
  ];
  for (const [what, changes, active] of cases) {
    it(what, () => {
      const desired = desiredTraffic(view(changes));
      assert.equal(desired?.active, active);
      assert.equal(desired?.hold, active === null);
      assert.equal(desired?.epoch, view(changes).record.epoch);
    });
  }

  it('is left alone while nothing is on record, or nothing is known of the master', () => {
    assert.equal(desiredTraffic(view({ record: emptyRecord('world') })), null);
    assert.equal(desiredTraffic(view({ a: { report: null } })), null);
    assert.notEqual(desiredTraffic(view({ record: CHOSEN_B, a: { report: null } })), null);
  });

  it('is reset on nodes that are dead, and on drained ones whose time is over, but not on the master', () => {
    assert.deepEqual(desiredTraffic(view({ a: SILENT, b: SILENT }))?.dead, ['b']);
    assert.deepEqual(desiredTraffic(view({ cutOff: ['b'] }))?.dead, ['b']);
    assert.deepEqual(desiredTraffic(view({ cutOff: ['a'] }))?.dead, []);
    assert.deepEqual(desiredTraffic(view({ record: promoting, a: SILENT, b: READY_UNDER_8 }))?.dead, ['a']);
  });
});
