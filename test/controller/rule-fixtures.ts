import { emptyRecord, type GroupRecord } from '../../src/model/group-record.ts';
import {
  CHOSEN_B,
  GAVE_UP,
  NOW_WALL_MS,
  READY_UNDER_8,
  RESTARTED,
  SERVING,
  SILENT,
  type ViewChanges,
} from './views.ts';

export interface Fixture {
  readonly rule: string;
  readonly when: string;
  readonly view: ViewChanges;
  /** What the record becomes, as far as it changes; null: it stays. */
  readonly change: Partial<GroupRecord> | null;
}

export const NOTHING = emptyRecord('world');
export const JUST_FAILED_OVER = { failedOverAtWallMs: NOW_WALL_MS - 5_000 };
const PROPOSAL = { id: 4, epoch: 7, inSync: ['a'] };
const WAITING = { role: 'waiting', phase: null, renouncedEpoch: 7 } as const;

/** For each rule, views in which it is the first to hold, and what it makes of the record. */
export const FIXTURES: readonly Fixture[] = [
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
    rule: 'R200',
    when: 'the same, and a may have gone on alone: it knows itself whether it did',
    view: { record: NOTHING, a: { report: { inSync: ['a'] } } },
    change: { stage: 'promoting', epoch: 7, master: 'a', inSync: ['a'], formerInSync: ['a', 'b'] },
  },
  {
    rule: 'R200',
    when: 'the same, and its reign has not begun: the other may really be behind',
    view: { record: NOTHING, a: { report: { inSync: ['a'], phase: 'fencing' } } },
    change: { stage: 'promoting', epoch: 7, master: 'a', inSync: ['a'] },
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
    rule: 'R295',
    when: 'the master asked to go on alone, and lost power before it did',
    view: { record: { inSync: ['a'], formerInSync: ['a', 'b'] }, a: RESTARTED },
    change: { inSync: ['a', 'b'], formerInSync: null },
  },
  {
    rule: 'R295',
    when: 'the same, and before it was heard again an operator had a new reign begun',
    view: {
      record: { ...CHOSEN_B, master: 'a', inSync: ['a'], formerInSync: ['a', 'b'] },
      a: RESTARTED,
    },
    change: { inSync: ['a', 'b'], formerInSync: null },
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
    rule: 'R600',
    when: 'the first master of all, alone in sync, is back after a crash, and the other node is away',
    view: {
      record: { cause: 'initial', inSync: ['a'] },
      a: { ...RESTARTED, report: { ...RESTARTED.report, intact: false } },
      b: SILENT,
    },
    change: { stage: 'fencing', epoch: 8, master: 'a', cause: 'reelected' },
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
    when: 'the only in-sync node came back with an empty store: an operator has to choose',
    view: {
      record: { inSync: ['a'] },
      a: { ...RESTARTED, report: { ...RESTARTED.report, intact: false, end: 0, endEpoch: 0 } },
    },
    change: null,
  },
  {
    rule: 'R690',
    when: 'the same, and it had asked to go on alone: that it knows of nothing says nothing',
    view: {
      record: { inSync: ['a'], formerInSync: ['a', 'b'] },
      a: { ...RESTARTED, report: { ...RESTARTED.report, intact: false, end: 0, endEpoch: 0 } },
    },
    change: null,
  },
  {
    rule: 'R640',
    when: 'the peer told first that the master gave up, whose own word is that of before its app crashed',
    view: { a: { renouncedEpoch: 7, grantRunsMs: 0 } },
    change: { stage: 'fencing', epoch: 8, master: 'b', cause: 'failover' },
  },
  {
    rule: 'R690',
    when: 'the master asked to go on alone and gave up, and has not said yet whether it did',
    view: { record: { inSync: ['a'], formerInSync: ['a', 'b'] }, a: { renouncedEpoch: 7 } },
    change: null,
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
