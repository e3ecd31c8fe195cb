import { emptyRecord, type GroupRecord } from '../../src/model/group-record.ts';
import type { GroupView } from '../../src/controller/view.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { fence, NOW_WALL_MS, SERVING, view, type NodeChanges } from './views.ts';

/** The product of every kind of record with everything that may be known of each node; what is minor is drawn. */

const REIGN_8 = { epoch: 8, master: 'b', masterInstance: 'instance-of-b', previous: 'a', previousEpoch: 7 } as const;
const REIGN_9_OF_A = {
  epoch: 9,
  master: 'a',
  masterInstance: 'instance-of-a',
  previous: 'a',
  previousEpoch: 8,
} as const;
const ALONE = { inSync: ['a'], masterNeedsNoLease: true } satisfies Partial<GroupRecord>;

const LOST_A = { ...REIGN_8, ...ALONE, stage: 'fencing', cause: 'forced', dataLossAccepted: true } as const;

/** Every kind of record that the rules and an operator can make, by what it tells. */
export const RECORDS: Readonly<Record<string, GroupRecord>> = Object.fromEntries(
  Object.entries({
    'nothing on record': emptyRecord('world'),
    'a serves, b in sync': {},
    'a serves alone without a lease': ALONE,
    'a serves alone under a lease': { inSync: ['a'] },
    'a is to serve alone from now on': { ...ALONE, formerInSync: ['a', 'b'] },
    'a hands over to b': { stage: 'quiescing', target: 'b' },
    'b chosen after a failover': { ...REIGN_8, stage: 'fencing', cause: 'failover' },
    'b chosen in a switchover': { ...REIGN_8, stage: 'fencing', cause: 'switchover' },
    'b chosen with loss': { ...REIGN_8, ...ALONE, stage: 'fencing', cause: 'forced', dataLossAccepted: true },
    'b chosen with loss and force': {
      ...REIGN_8,
      stage: 'fencing',
      inSync: ['a'],
      cause: 'forced',
      dataLossAccepted: true,
    },
    'b chosen with loss, a to be fenced': { ...LOST_A, ...fence('wanted') },
    'b chosen with loss, a not fenced yet': { ...LOST_A, ...fence('failed') },
    'b chosen with loss, a fenced': { ...LOST_A, ...fence('confirmed') },
    'b chosen by force, a not fenced': { ...LOST_A, masterNeedsNoLease: false, ...fence('waived') },
    'a serves alone, but is off by the word of an operator': { ...ALONE, ...fence('confirmed') },
    'a chosen anew': { ...REIGN_9_OF_A, stage: 'fencing', cause: 'reelected' },
    'a chosen anew, alone': { ...REIGN_9_OF_A, ...ALONE, stage: 'fencing', cause: 'reelected' },
    'a chosen anew, after it asked to be alone': {
      ...REIGN_9_OF_A,
      ...ALONE,
      stage: 'fencing',
      cause: 'forced',
      formerInSync: ['a', 'b'],
    },
    'a chosen first': { stage: 'fencing', previous: null, cause: 'initial' },
    'a chosen first, its log is longer': { stage: 'fencing', previous: null, inSync: ['a'], cause: 'initial' },
    'nobody chosen': { ...REIGN_8, stage: 'fencing', master: null, masterInstance: null },
    'b promoted, a in sync': { ...REIGN_8, stage: 'promoting', cause: 'failover' },
    'b promoted alone': { ...REIGN_8, stage: 'promoting', inSync: ['b'], masterNeedsNoLease: true, cause: 'forced' },
    'a adopted': { stage: 'promoting', cause: 'adopted', servingSinceWallMs: null },
  } satisfies Record<string, Partial<GroupRecord>>).map(([name, change]) => [name, { ...SERVING, ...change }]),
);

type Condition = (node: string, epoch: number) => NodeChanges;

const silent = { linked: false, silentMs: 900, silentToPeerMs: 900 } as const;
const unheard = { report: null, linked: false, silentMs: 900, silentToPeerMs: Infinity } as const;

/** What may be known of a node's agent under a record of `epoch`. */
const CONDITIONS: Readonly<Record<string, Condition>> = {
  'never heard': () => unheard,
  'owner, silent to all': (_, epoch) => ({ ...silent, report: owner(epoch, 'ready') }),
  'owner, silent to the controller': (_, epoch) => ({ linked: false, silentMs: 900, report: owner(epoch, 'ready') }),
  'slave, silent to all': (_, epoch) => ({ ...silent, report: { epoch, renouncedEpoch: epoch } }),
  fresh: () => ({
    report: { role: 'waiting', phase: null, epoch: 0, renouncedEpoch: 0, end: 0, endEpoch: 0, assignmentRevision: 0 },
  }),
  restarted: (_, epoch) => ({
    report: { role: 'waiting', phase: null, epoch, renouncedEpoch: epoch, instance: 'later', assignmentRevision: 0 },
  }),
  'told to wait': (_, epoch) => ({ report: { role: 'waiting', phase: null, epoch, renouncedEpoch: epoch - 1 } }),
  'a later epoch seen': (_, epoch) => ({
    report: { role: 'waiting', phase: null, epoch: epoch + 1, renouncedEpoch: epoch },
  }),
  'slave of this epoch': (_, epoch) => ({ report: { role: 'slave', phase: null, epoch, renouncedEpoch: epoch } }),
  'slave of the epoch before': (_, epoch) => ({
    report: { role: 'slave', phase: null, epoch: epoch - 1, renouncedEpoch: epoch - 1 },
  }),
  'owner, fenced off': (_, epoch) => ({ report: owner(epoch, 'fencing') }),
  'owner, promoting': (_, epoch) => ({ report: owner(epoch, 'promoting') }),
  'owner, ready': (_, epoch) => ({ report: owner(epoch, 'ready') }),
  'owner, quiescing': (_, epoch) => ({ report: owner(epoch, 'quiescing') }),
  'owner, quiesced': (_, epoch) => ({ report: owner(epoch, 'quiesced') }),
  'owner, released': (_, epoch) => ({ report: { ...owner(epoch, 'released'), renouncedEpoch: epoch } }),
  'owner, released, with traffic': (_, epoch) => ({ report: owner(epoch, 'released') }),
  'owner that wants to be alone': (node, epoch) => ({
    report: { ...owner(epoch, 'ready'), proposal: { id: 3, epoch, inSync: [node] } },
  }),
  'owner that wants both': (_, epoch) => ({
    report: { ...owner(epoch, 'ready'), proposal: { id: 4, epoch, inSync: ['a', 'b'] } },
  }),
  'owner of the epoch before': (_, epoch) => ({ report: owner(epoch - 1, 'ready') }),
  'owner of the epoch before, released': (_, epoch) => ({
    report: { ...owner(epoch - 1, 'released'), renouncedEpoch: epoch - 1 },
  }),
  'renounced, by the word of its peer': (_, epoch) => ({ renouncedEpoch: epoch, report: owner(epoch, 'ready') }),
  diverged: (_, epoch) => ({ report: { role: 'diverged', phase: null, epoch, renouncedEpoch: epoch } }),
  'store failed': (_, epoch) => ({
    report: { role: 'waiting', phase: null, epoch, renouncedEpoch: epoch, storeFailed: true, trouble: 'no space' },
  }),
};

function owner(epoch: number, phase: 'fencing' | 'promoting' | 'ready' | 'quiescing' | 'quiesced' | 'released') {
  return { role: 'master', phase, epoch, renouncedEpoch: epoch - 1 } as const;
}

export interface NamedView {
  readonly name: string;
  readonly view: GroupView;
}

/** Each record with each condition of a and of b; everything else is drawn `draws` times. */
export function* everyView(draws: number): Generator<NamedView> {
  const random = new SeededRandom(7);
  for (const [record, base] of Object.entries(RECORDS)) {
    for (const [ofA, conditionA] of Object.entries(CONDITIONS)) {
      for (const [ofB, conditionB] of Object.entries(CONDITIONS)) {
        for (let draw = 0; draw < draws; draw += 1) {
          const name = `${record}; a: ${ofA}; b: ${ofB}; draw ${draw}`;
          // Where nothing is on record the nodes may well know of reigns.
          const epoch = base.epoch === 0 ? 7 : base.epoch;
          yield { name, view: drawn(random, base, conditionA('a', epoch), conditionB('b', epoch)) };
        }
      }
    }
  }
}

function drawn(random: SeededRandom, base: GroupRecord, a: NodeChanges, b: NodeChanges): GroupView {
  const drained = random.pick([[], [], ['a'], ['b']]);
  return view({
    record: {
      ...base,
      drained,
      discard: random.pick([[], [], ['a'], ['b']]),
      pausedUntilWallMs: random.pick([null, null, NOW_WALL_MS + 5_000]),
      failedOverAtWallMs: random.pick([null, NOW_WALL_MS - 3_600_000, NOW_WALL_MS - 1_000]),
    },
    thresholds: {
      mode: random.pick(['auto', 'auto', 'manual']),
      onControllerLoss: random.pick(['serve', 'stop']),
      appJoins: random.chance(0.8),
      fence: random.pick(['doubt', 'doubt', 'always']),
      fenceable: random.pick([[], ['a', 'b']]),
      prefer: random.pick(['a', 'b']),
    },
    a: fenced(base, withMinor(random, a)),
    b: withMinor(random, b),
    stageMs: random.pick([0, 100, 40_000]),
    trafficMoved: random.chance(0.5),
    cutOff: drained.filter(() => random.chance(0.3)),
  });
}

/** A fence on record is as good as the node's own word. */
function fenced({ fence: onRecord }: GroupRecord, a: NodeChanges): NodeChanges {
  if (onRecord?.state !== 'confirmed') return a;
  const word = a.renouncedEpoch ?? a.report?.renouncedEpoch ?? 0;
  return { ...a, renouncedEpoch: Math.max(word, onRecord.epoch) };
}

/** App, log, probe and grant of a node. */
function withMinor(random: SeededRandom, node: NodeChanges): NodeChanges {
  const app = random.pick(['up', 'up', 'up', 'down', 'hung', 'absent', 'starting'] as const);
  const end = random.pick([184_223, 184_223, 184_223, 184_000, 184_300]);
  const grantRunsMs = random.pick([0, 0, 300]);
  const probe = random.pick(['up', 'up', 'unknown', 'down'] as const);
  const minor = { grantRunsMs, probe, probeSinceMs: random.pick([50, 5_000, 90_000]) };
  if (node.report === null) return { ...node, ...minor };
  return { ...node, ...minor, report: { app, end, intact: random.chance(0.9), ...node.report } };
}
