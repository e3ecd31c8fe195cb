import type { Assignment } from '../../model/assignment.ts';
import type { NodeId, Role } from '../../model/roles.ts';

/**
 * What makes an agent change its role, as a table like the controller's: of the rules for a signal, the first whose
 * conditions all hold is the one that counts. What a master does within its reign is in `Reign`.
 */

/** What may change a role: a word of the controller or of the peer, or something that this node itself finds out. */
export type RoleSignal = 'assignment' | 'greeting' | 'logs parted' | 'store failed' | 'app unfit' | 'stop';

/** How the peer greets, on either direction of the link. */
export interface Greeting {
  readonly role: Role;
  readonly epoch: number;
  readonly renouncedEpoch: number;
}

/** Everything that the rules look at. */
export interface RoleSituation {
  readonly node: NodeId;
  readonly instance: string;
  /** Highest epoch seen. */
  readonly epoch: number;
  /** Highest epoch under which this run will not serve (again). */
  readonly barredEpoch: number;
  /** Epoch of its own reign, also of one that is released; null without one. */
  readonly reignEpoch: number | null;
  readonly diverged: boolean;
  /** What is wrong with the store, or empty. */
  readonly trouble: string;
  /** The trouble is damage, which a copy of the peer's state mends. */
  readonly damaged: boolean;
  /** The controller's last word that counted. */
  readonly known: Assignment | null;
  /** The signal's own: an assignment, a greeting, what failed. */
  readonly assignment: Assignment | null;
  readonly greeting: Greeting | null;
  readonly detail: string;
}

export interface RoleCondition {
  readonly name: string;
  readonly test: (situation: RoleSituation) => boolean;
}

/** What a rule changes, in this order. What it does not name stays. */
export interface RoleChange {
  /** The controller's word counts: its epoch is made durable first. */
  readonly takes?: true;
  /** It will never serve again under any epoch up to the present one, for this reason. */
  readonly renounces?: (situation: RoleSituation) => string;
  readonly diverged?: boolean;
  readonly follows?: boolean;
  readonly reign?: 'begins' | 'goes on';
}

export interface RoleRule {
  readonly id: string;
  readonly on: RoleSignal;
  readonly title: string;
  readonly when: readonly RoleCondition[];
  readonly change: RoleChange;
  /** The same in words; empty if nothing changes. */
  readonly effect: string;
  readonly why: string;
  /** Invariants of the design that the rule serves. */
  readonly protects: readonly string[];
}

const orderIs = (role: Assignment['role']): RoleCondition => ({
  name: `the order is: ${role}`,
  test: ({ assignment }) => assignment?.role === role,
});

const olderEpoch: RoleCondition = {
  name: 'its epoch is lower than the highest that was seen',
  test: ({ assignment, epoch }) => assignment !== null && assignment.epoch < epoch,
};

const olderRevision: RoleCondition = {
  name: 'a later word of the same epoch is known',
  test: ({ assignment, known }) =>
    assignment !== null && assignment.epoch === known?.epoch && assignment.revision < known.revision,
};

const reignsAlready: RoleCondition = {
  name: 'this node owns the epoch already',
  test: ({ assignment, reignEpoch }) => assignment?.epoch === reignEpoch,
};

const choseFormerRun: RoleCondition = {
  name: 'it was given to another run of this agent',
  test: ({ assignment, instance }) => assignment?.masterInstance !== instance,
};

const storeIsInTrouble: RoleCondition = { name: 'the store is in trouble', test: ({ trouble }) => trouble !== '' };

const epochIsBarred: RoleCondition = {
  name: 'the epoch was renounced',
  test: ({ assignment, barredEpoch }) => assignment !== null && assignment.epoch <= barredEpoch,
};

/** What an operator's loss of data leaves aside is for `mayDiscard`. */
const mayNotRepair: RoleCondition = {
  name: 'it is not damage, or acknowledged records may rest on this node',
  test: ({ damaged, assignment, node }) => !damaged || assignment?.inSync.includes(node) === true,
};

const mayNotDiscard: RoleCondition = {
  name: 'the logs have parted, and nobody allowed to discard this one',
  test: ({ diverged, assignment }) => diverged && assignment?.mayDiscard !== true,
};

const peerReigns: RoleCondition = {
  name: 'the peer is master of the highest epoch that was seen',
  test: ({ greeting, epoch }) =>
    greeting?.role === 'master' && greeting.epoch === epoch && greeting.renouncedEpoch < epoch,
};

const isFree: RoleCondition = {
  name: 'this node waits for an order of that epoch, and may follow',
  test: ({ known, epoch, reignEpoch, diverged, trouble }) =>
    (known === null || known.epoch < epoch) && reignEpoch === null && !diverged && trouble === '',
};

/** Numbers have gaps for what will come between. */
export const ROLE_RULES = [
  {
    id: 'A100',
    on: 'assignment',
    title: 'an order of a former epoch counts for nothing',
    when: [olderEpoch],
    change: {},
    effect: '',
    why: 'a network, or a controller that stood still, may bring it at any time',
    protects: ['I4'],
  },
  {
    id: 'A110',
    on: 'assignment',
    title: 'an older order of the epoch counts for nothing',
    when: [olderRevision],
    change: {},
    effect: '',
    why: 'it tells of an in-sync set that is on record no more',
    protects: ['I2', 'I4'],
  },
  {
    id: 'A200',
    on: 'assignment',
    title: 'the reign goes on',
    when: [orderIs('master'), reignsAlready],
    change: { takes: true, follows: false, reign: 'goes on' },
    effect: 'it learns what is on record of it; a reign that was released stays so',
    why: 'an epoch has one reign: it is never begun again',
    protects: ['I3'],
  },
  {
    id: 'A210',
    on: 'assignment',
    title: 'a reign that a former run was chosen for does not begin',
    when: [orderIs('master'), choseFormerRun],
    change: { takes: true, renounces: () => 'the agent restarted after this node was chosen', follows: false },
    effect: 'it renounces the epoch',
    why: 'it was chosen for the log of that run, and may have lost some of it since',
    protects: ['I2'],
  },
  {
    id: 'A220',
    on: 'assignment',
    title: 'a node that cannot use its store does not reign',
    when: [orderIs('master'), storeIsInTrouble],
    change: { takes: true, renounces: ({ trouble }) => trouble, follows: false },
    effect: 'it renounces the epoch',
    why: 'so that another choice can be made at once',
    protects: ['I2', 'I9'],
  },
  {
    id: 'A230',
    on: 'assignment',
    title: 'an epoch that was renounced is over',
    when: [orderIs('master'), epochIsBarred],
    change: { takes: true, follows: false },
    effect: 'it waits',
    why: 'others may rely on the renunciation by now',
    protects: ['I1', 'I3'],
  },
  {
    id: 'A240',
    on: 'assignment',
    title: 'a reign begins',
    when: [orderIs('master')],
    change: { takes: true, diverged: false, follows: false, reign: 'begins' },
    effect: 'it waits out its own grant to the peer, asks for a lease, then takes over',
    why: 'the controller has put on record that the former master is fenced',
    protects: ['I9'],
  },
  {
    id: 'A300',
    on: 'assignment',
    title: 'a store in trouble is not made anew while something may rest on it',
    when: [orderIs('slave'), storeIsInTrouble, mayNotRepair],
    change: { takes: true, renounces: () => 'another node is master' },
    effect: 'it renounces the epoch, and follows nobody that it did not follow',
    why: 'only a node outside the in-sync set holds nothing that the others lack',
    protects: ['I2', 'I6'],
  },
  {
    id: 'A310',
    on: 'assignment',
    title: 'logs that have parted stay as they are',
    when: [orderIs('slave'), mayNotDiscard],
    change: { takes: true, renounces: () => 'another node is master' },
    effect: 'it renounces the epoch, and keeps its log',
    why: 'to follow it would have to give up records that it acknowledged: that is for an operator to say',
    protects: ['I6'],
  },
  {
    id: 'A320',
    on: 'assignment',
    title: 'follow the master',
    when: [orderIs('slave')],
    change: { takes: true, renounces: () => 'another node is master', diverged: false, follows: true },
    effect: 'it renounces the epoch and follows its master',
    why: 'an epoch has one owner; the other node becomes a full copy',
    protects: ['I1', 'I9'],
  },
  {
    id: 'A390',
    on: 'assignment',
    title: 'wait',
    when: [orderIs('wait')],
    change: { takes: true, follows: false },
    effect: 'it neither serves nor follows',
    why: 'who will be master is not decided, or the former one is not fenced',
    protects: ['I1'],
  },
  {
    id: 'A400',
    on: 'greeting',
    title: 'follow a master that it meets',
    when: [peerReigns, isFree],
    change: { renounces: () => 'the peer is master', follows: true },
    effect: 'it renounces the epoch and follows the peer',
    why: 'a pair is whole again without a controller, and the master has somebody to lease it its reign',
    protects: ['I9'],
  },
  {
    id: 'A490',
    on: 'greeting',
    title: 'a greeting changes nothing else',
    when: [],
    change: {},
    effect: '',
    why: 'what the peer is, the controller says',
    protects: ['I3'],
  },
  {
    id: 'A500',
    on: 'logs parted',
    title: 'stop following a master that lacks what this node acknowledged',
    when: [],
    change: { diverged: true, follows: false },
    effect: 'it keeps its log and shows both ends',
    why: 'no acknowledged record is given up but by an operator',
    protects: ['I6'],
  },
  {
    id: 'A510',
    on: 'store failed',
    title: 'give everything up when the store cannot be trusted',
    when: [],
    change: { renounces: ({ detail }) => detail, follows: false },
    effect: 'it renounces the epoch and confirms nothing any more',
    why: 'what it cannot keep it must not acknowledge',
    protects: ['I2'],
  },
  {
    id: 'A520',
    on: 'app unfit',
    title: 'give the reign up when the app cannot serve',
    when: [],
    change: { renounces: ({ detail }) => detail },
    effect: 'it renounces the epoch at once',
    why: 'another node need not wait for the lease to run out',
    protects: ['I9'],
  },
  {
    id: 'A530',
    on: 'stop',
    title: 'give everything up in order',
    when: [],
    change: { renounces: () => 'the agent is stopping', follows: false },
    effect: 'it renounces the epoch and follows nobody',
    why: 'another node need not wait for the lease to run out',
    protects: ['I9'],
  },
] as const satisfies readonly RoleRule[];

/** The rule that counts: there is one for each signal in each situation. */
export function roleRule(signal: RoleSignal, situation: RoleSituation): RoleRule {
  const found = (ROLE_RULES as readonly RoleRule[]).find(
    ({ on, when }) => on === signal && when.every(({ test }) => test(situation)),
  );
  if (found === undefined) throw new Error(`no rule for: ${signal}`);
  return found;
}
