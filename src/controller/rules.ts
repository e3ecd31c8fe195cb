import type { GroupRecord } from '../model/group-record.ts';
import * as change from './changes.ts';
import { wantFence } from './fencing.ts';
import * as guard from './guards.ts';
import { successorOf } from './master.ts';
import type { GroupView } from './view.ts';

/**
 * What the controller decides, as a table: the first rule whose guards all hold gives the change of the record.
 * A rule without a change holds everything as it is. Numbers have gaps for what will come between.
 *
 * The order of effects is the same for every change of master: the record of the decision (stage `fencing`), the
 * former master fenced, the record of the promotion (stage `promoting`), the word of the promoted app, the traffic.
 */
export interface Rule {
  readonly id: string;
  readonly title: string;
  readonly when: readonly guard.Guard[];
  /** The changed fields of the record; null to leave it as it is. */
  readonly change: ((view: GroupView) => change.Change) | null;
  /** The same in words; empty if there is none. */
  readonly effect: string;
  /** Something is wrong, and is left so: an event tells an operator, once each time that it comes to this rule. */
  readonly alarms?: true;
  /** The stage that it leads to; null to stay. */
  readonly to: GroupRecord['stage'] | null;
  readonly why: string;
  /** Invariants of the design that the rule serves. */
  readonly protects: readonly string[];
}

const reigning = guard.stageIs('serving', 'promoting');

export const RULES = [
  {
    id: 'R100',
    title: 'decide nothing on doubtful clocks',
    when: [guard.tilted],
    change: null,
    effect: '',
    to: null,
    why: 'after a stall or a jump of the clock, silence proves nothing',
    protects: ['I8'],
  },
  {
    id: 'R200',
    title: 'adopt a reign that is under way',
    when: [guard.stageIs('none'), guard.everyNodeReports, guard.someNodeReigns],
    change: change.adopt,
    effect: "the record takes over that node's epoch and in-sync set",
    to: 'promoting',
    why: 'a controller without records must not disturb a pair that serves, nor take an old master for the present one',
    protects: ['I1', 'I3'],
  },
  {
    id: 'R210',
    title: 'begin the first reign',
    when: [guard.stageIs('none'), guard.everyNodeReports],
    change: change.beginFirstReign,
    effect: 'a new epoch, for the node with the longest log; in sync are those whose logs end where its does',
    to: 'fencing',
    why: 'with every log at hand the longest one holds every acknowledged record',
    protects: ['I2'],
  },
  {
    id: 'R290',
    title: 'wait for every node before the first reign',
    when: [guard.stageIs('none')],
    change: null,
    effect: '',
    to: null,
    why: 'a node that is not heard may hold the longer log, or be master',
    protects: ['I2'],
  },
  {
    id: 'R295',
    title: 'the others are in sync after all',
    when: [guard.stageIs('fencing', 'serving', 'promoting'), guard.neverWentAlone],
    change: change.restoreInSync,
    effect: 'the in-sync set is again what it was before the master asked to go on alone',
    to: null,
    why: 'what the master lost before it went on alone, the others have confirmed and hold',
    protects: ['I2', 'I9'],
  },
  {
    id: 'R300',
    title: 'fenced: promote',
    when: [guard.stageIs('fencing'), guard.formerMasterIsFenced, guard.not(guard.targetIsLost), guard.choiceIsComplete],
    change: change.promote,
    effect: 'its reign may begin',
    to: 'promoting',
    why: 'nobody serves now, so the chosen node may',
    protects: ['I1', 'I2'],
  },
  {
    id: 'R310',
    title: 'the chosen node was lost: choose again',
    when: [guard.stageIs('fencing'), guard.targetIsLost, guard.someCandidate],
    change: change.chooseAgain,
    effect: 'another new epoch, for the best node that is there now',
    to: null,
    why: 'the chosen node was never told to serve, so a new epoch may go to another',
    protects: ['I3', 'I9'],
  },
  {
    id: 'R315',
    title: 'another node holds more than the chosen one: choose again',
    when: [guard.stageIs('fencing'), guard.anotherHoldsMore],
    change: change.chooseAgain,
    effect: 'another new epoch, for the node that holds more',
    to: null,
    why: 'what it had confirmed before the chosen node lost it was not known yet when that one was chosen',
    protects: ['I2', 'I9'],
  },
  {
    id: 'R320',
    title: 'fence the former master',
    when: [guard.stageIs('fencing'), guard.fenceIsDue],
    change: wantFence,
    effect: 'its fence commands are to run',
    to: null,
    why: 'it does not give up by itself, and no lease tells when it ends',
    protects: ['I1', 'I9'],
  },
  {
    id: 'R380',
    title: 'wait until the chosen log is compared',
    when: [guard.stageIs('fencing'), guard.formerMasterIsFenced, guard.not(guard.choiceIsComplete)],
    change: null,
    effect: '',
    to: null,
    why: 'it may have lost confirmed records; another in-sync node has to say that it holds no more',
    protects: ['I2'],
  },
  {
    id: 'R390',
    title: 'wait until the former master is fenced',
    when: [guard.stageIs('fencing')],
    change: null,
    effect: '',
    to: null,
    why: 'until its lease has surely run out or a fence is confirmed, the former master may serve',
    protects: ['I1', 'I7'],
  },
  {
    id: 'R400',
    title: 'quiesced: hand over',
    when: [guard.stageIs('quiescing'), guard.masterIsQuiesced, guard.not(guard.switchoverFailed)],
    change: change.handOver,
    effect: 'a new epoch, for the target',
    to: 'fencing',
    why: 'the target holds every record and nothing new comes in',
    protects: ['I2'],
  },
  {
    id: 'R410',
    title: 'roll the switchover back',
    when: [guard.stageIs('quiescing'), guard.switchoverFailed],
    change: () => ({ stage: 'serving', target: null }),
    effect: 'the master goes on, under the same epoch',
    to: 'serving',
    why: 'until the lease is given back the master can simply go on',
    protects: ['I9'],
  },
  {
    id: 'R490',
    title: 'wait until the master is quiesced',
    when: [guard.stageIs('quiescing')],
    change: null,
    effect: '',
    to: null,
    why: 'work under way ends first',
    protects: [],
  },
  {
    id: 'R500',
    title: 'record the in-sync set that the master proposes',
    when: [reigning, guard.proposalPending],
    change: change.recordInSync,
    effect: 'the in-sync set is what the master proposes',
    to: null,
    why: 'the master confirms alone, or takes the slave as a full copy, only after this is on record',
    protects: ['I2'],
  },
  {
    id: 'R600',
    title: 'the same node begins a new reign',
    when: [reigning, guard.masterIsLost, guard.masterCanServeAgain, guard.nobodyTakesOver],
    change: (view) => change.beginReign(view, view.record.master, 'reelected'),
    effect: 'a new epoch, for the same node',
    to: 'fencing',
    why: 'an epoch is never resumed; the node is well again and holds every acknowledged record',
    protects: ['I3', 'I9'],
  },
  {
    id: 'R610',
    title: 'no failover while paused',
    when: [reigning, guard.masterIsLost, guard.paused],
    change: null,
    effect: '',
    to: null,
    why: 'an operator asked for it',
    protects: [],
  },
  {
    id: 'R620',
    title: 'the controller suspects itself',
    when: [reigning, guard.masterIsLost, guard.controllerSuspectsItself],
    change: null,
    effect: '',
    alarms: true,
    to: null,
    why: 'that every node fails at once is less likely than that this controller is cut off',
    protects: ['I9'],
  },
  {
    id: 'R630',
    title: 'hold down after a failover',
    when: [reigning, guard.masterIsLost, guard.heldDown, guard.anotherNodeCanServe],
    change: null,
    effect: '',
    alarms: true,
    to: null,
    why: 'a service that fails on one node after the other needs a person',
    protects: [],
  },
  {
    id: 'R640',
    title: 'fail over',
    when: [reigning, guard.masterIsLost, guard.automatic, guard.anotherNodeCanServe],
    change: (view) => change.beginReign(view, successorOf(view)?.id ?? null, 'failover'),
    effect: 'a new epoch, for the best other node',
    to: 'fencing',
    why: 'the master cannot go on, and another node holds every acknowledged record',
    protects: ['I2', 'I9'],
  },
  {
    id: 'R690',
    title: 'the master is lost and nobody may take over',
    when: [reigning, guard.masterIsLost],
    change: null,
    effect: '',
    alarms: true,
    to: null,
    why: 'a promotion would lose acknowledged records, or has nobody to go to',
    protects: ['I2'],
  },
  {
    id: 'R700',
    title: 'the promotion is complete',
    when: [guard.stageIs('promoting'), guard.masterIsReady, guard.trafficHasMoved],
    change: change.complete,
    effect: 'the reign serves; a failover is noted for the hold-down',
    to: 'serving',
    why: 'the app said that it is ready and clients reach it',
    protects: ['I9'],
  },
  {
    id: 'R790',
    title: 'wait for the promoted app and the traffic',
    when: [guard.stageIs('promoting')],
    change: null,
    effect: '',
    to: null,
    why: 'traffic moves only when the app said that it is ready',
    protects: ['I7'],
  },
  {
    id: 'R900',
    title: 'all is well',
    when: [guard.stageIs('serving')],
    change: null,
    effect: '',
    to: null,
    why: 'the master serves',
    protects: [],
  },
] as const satisfies readonly Rule[];
