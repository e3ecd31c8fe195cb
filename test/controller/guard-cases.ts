import { emptyRecord } from '../../src/model/group-record.ts';
import {
  ALWAYS,
  CHOSEN_B,
  COMMANDS,
  fence,
  GAVE_UP,
  NOW_WALL_MS,
  READY_UNDER_8,
  RESTARTED,
  SILENT,
  type ViewChanges,
} from './views.ts';

/** Its machine lost power: what it had not yet written out is gone. */
const DOUBTFUL: ViewChanges['b'] = { report: { intact: false } };

/** Its master asked to go on alone, which was recorded. */
const LONE_A: ViewChanges['record'] = { inSync: ['a'], formerInSync: ['a', 'b'] };

export type Case = readonly [found: string, changes: ViewChanges];

/** Every guard in both directions: views in which it holds and in which it does not, each with what it finds. */
export const CASES: Readonly<Record<string, { readonly holds: readonly Case[]; readonly fails: readonly Case[] }>> = {
  tilted: {
    holds: [['the wall clock jumped', { tilt: 'the wall clock jumped' }]],
    fails: [['clocks agree and the loop is on time', {}]],
  },
  everyNodeReports: {
    holds: [['all report', {}]],
    fails: [
      ['b is not heard', { b: { report: null } }],
      ['b is not heard', { b: { linked: false } }],
      ['a is not heard, b is not heard', { a: { silentMs: 501 }, b: { silentMs: 501 } }],
      [
        'b cannot read its log: bad checksum',
        { b: { report: { storeFailed: true, trouble: 'bad checksum', end: 0 } } },
      ],
    ],
  },
  someNodeReigns: {
    holds: [['a owns epoch 7', { record: emptyRecord('world') }]],
    fails: [
      ['no node does', { a: { report: { role: 'waiting' } } }],
      ['no node does', { a: GAVE_UP }],
      ['no node does', { b: { report: { epoch: 8 } } }],
    ],
  },
  masterIsLost: {
    holds: [
      ['a gave up epoch 7: the app crashed', { a: GAVE_UP }],
      ['a gave up epoch 7: its agent restarted', { a: RESTARTED }],
      ['a gave up epoch 7: its agent restarted', { a: { renouncedEpoch: 7 } }],
      ['a silent for 900 ms, to its peer for 900 ms', { a: SILENT }],
      ['a silent for 900 ms, to its peer for ever', { a: { ...SILENT, silentToPeerMs: Infinity } }],
      ['probe of a fails: no answer', { a: { probe: 'down' } }],
      ['probe of a fails: no answer', { stageMs: 30_001, a: { probe: 'down', probeSinceMs: 90_000 } }],
      [
        'b is not ready 30.0 s after its promotion',
        { record: { ...CHOSEN_B, stage: 'promoting' }, stageMs: 30_001, a: GAVE_UP },
      ],
    ],
    fails: [
      ['a is well', {}],
      ['a is well', { a: { silentMs: 900, silentToPeerMs: 10, linked: false } }],
      ['a is well', { a: { silentMs: 10, silentToPeerMs: 900 } }],
      ['a is well', { a: { probe: 'unknown' } }],
      ['a is well', { stageMs: 9_999, a: { probe: 'down', probeSinceMs: 10_000 } }],
      [
        'b is well',
        { record: { ...CHOSEN_B, stage: 'promoting' }, stageMs: 100, b: { probe: 'down', probeSinceMs: 10 } },
      ],
      ['b is well', { record: { ...CHOSEN_B, stage: 'promoting' }, stageMs: 30_000 }],
      ['b is well', { record: { ...CHOSEN_B, stage: 'promoting' }, stageMs: 30_001, b: READY_UNDER_8 }],
      ['nobody is well', { record: emptyRecord('world') }],
    ],
  },
  anotherNodeCanServe: {
    holds: [
      ['b can', { a: GAVE_UP }],
      ['b can', { a: { probe: 'down' } }],
      ['b can', { a: { ...RESTARTED, probe: 'down' } }],
      ['b can', { record: { drained: ['a'] }, a: RESTARTED }],
      ['b can', { a: RESTARTED, b: { report: { end: 184_224 } } }],
      ['b can', { thresholds: { appJoins: false }, a: GAVE_UP, b: { report: { app: 'absent' } } }],
    ],
    fails: [
      ['a is the better one', { a: RESTARTED }],
      ['a is the better one', { a: { ...RESTARTED, probe: 'down' }, stageMs: 9_000 }],
      ['b has not been heard for 900 ms', { a: GAVE_UP, b: SILENT }],
      ['b is not in the in-sync set (a)', { a: GAVE_UP, record: { inSync: ['a'] } }],
      ['b is drained', { a: GAVE_UP, record: { drained: ['b'] } }],
      [
        'the store of b failed: input/output error',
        { a: GAVE_UP, b: { report: { storeFailed: true, trouble: 'input/output error' } } },
      ],
      ['b has records that the master lacks', { a: GAVE_UP, b: { report: { role: 'diverged' } } }],
      ['the app on b is hung', { a: GAVE_UP, b: { report: { app: 'hung' } } }],
      ['the app on b is absent', { a: GAVE_UP, b: { report: { app: 'absent' } } }],
      ['the app on b is down', { thresholds: { appJoins: false }, a: GAVE_UP, b: { report: { app: 'down' } } }],
      [
        'the log of b may lack confirmed records, and a is not here to compare',
        { a: SILENT, b: { report: { intact: false } } },
      ],
      [
        'the log of b may lack confirmed records, and a has more',
        { a: GAVE_UP, b: { report: { intact: false, end: 184_222 } } },
      ],
    ],
  },
  masterCanServeAgain: {
    holds: [
      ['a can', { a: RESTARTED }],
      ['a can', { a: { ...RESTARTED, report: { ...RESTARTED.report, intact: false } } }],
      ['a can', { record: { drained: ['a'] }, a: RESTARTED }],
    ],
    fails: [
      ['a has not given up epoch 7 itself', {}],
      ['the app on a is down: the app crashed', { a: GAVE_UP }],
      ['no master on record', { record: emptyRecord('world') }],
      [
        'the log of a may lack confirmed records, and b has more',
        { a: { ...RESTARTED, report: { ...RESTARTED.report, intact: false, end: 5 } } },
      ],
    ],
  },
  paused: {
    holds: [['paused for another 1.5 s', { record: { pausedUntilWallMs: NOW_WALL_MS + 1_500 } }]],
    fails: [
      ['not paused', {}],
      ['not paused', { record: { pausedUntilWallMs: NOW_WALL_MS } }],
    ],
  },
  automatic: {
    holds: [['mode is auto', {}]],
    fails: [['mode is manual', { thresholds: { mode: 'manual' } }]],
  },
  heldDown: {
    holds: [
      ['hold-down for another 59.0 s', { record: { failedOverAtWallMs: NOW_WALL_MS - 1_000 } }],
      ['hold-down for another 60.0 s', { record: { failedOverAtWallMs: NOW_WALL_MS } }],
    ],
    fails: [
      ['there was none', { record: { failedOverAtWallMs: null } }],
      ['hold-down is over', { record: { failedOverAtWallMs: NOW_WALL_MS - 60_000 } }],
      ['hold-down is over', { record: { failedOverAtWallMs: NOW_WALL_MS + 86_400_000 } }],
    ],
  },
  nobodyTakesOver: {
    holds: [
      ['a is the better one', { a: RESTARTED }],
      ['b has not been heard for 900 ms', { a: RESTARTED, b: SILENT }],
      ['mode is manual', { thresholds: { mode: 'manual' }, a: GAVE_UP }],
      [
        'paused for another 1.0 s; hold-down for another 60.0 s',
        { record: { pausedUntilWallMs: NOW_WALL_MS + 1_000, failedOverAtWallMs: NOW_WALL_MS }, a: GAVE_UP },
      ],
    ],
    fails: [['b can', { a: GAVE_UP }]],
  },
  controllerSuspectsItself: {
    holds: [
      ['no agent is heard', { a: SILENT, b: SILENT }],
      ['no agent is heard', { a: { silentMs: 900, silentToPeerMs: 10 }, b: { silentMs: 900, silentToPeerMs: 10 } }],
      [
        'all probes fell together',
        { a: { probe: 'down', probeSinceMs: 3_100 }, b: { probe: 'down', probeSinceMs: 100 } },
      ],
      [
        'the probe of b may fall too, or has only just risen',
        {
          a: { probe: 'down', probeSinceMs: 9_000 },
          b: { probe: 'up', probeSinceMs: 20 },
          thresholds: { probeSettleMs: 1_500 },
        },
      ],
      [
        'the probe of b may fall too, or has only just risen',
        { a: { probe: 'down', probeSinceMs: 20 }, thresholds: { probeSettleMs: 1_500 } },
      ],
      [
        'the probe of b may fall too, or has only just risen',
        { a: { probe: 'down', probeSinceMs: 20 }, b: { probe: 'unknown' }, thresholds: { probeSettleMs: 1_500 } },
      ],
    ],
    fails: [
      ['some node is heard', {}],
      ['some node is heard', { a: SILENT }],
      ['the probe of b has not fallen', { a: { probe: 'down' } }],
      ['some node is heard', { a: { probe: 'down', probeSinceMs: 9_000 }, b: { probe: 'down', probeSinceMs: 100 } }],
      ['a gave up by itself', { a: { ...GAVE_UP, probe: 'down' }, b: { probe: 'down' } }],
    ],
  },
  targetIsLost: {
    holds: [
      ['b is silent, restarted or gave up', { record: CHOSEN_B, b: SILENT }],
      ['b is silent, restarted or gave up', { record: CHOSEN_B, b: { report: { instance: 'later' } } }],
      ['b is silent, restarted or gave up', { record: CHOSEN_B, b: { renouncedEpoch: 8 } }],
      ['no node is chosen', { record: { ...CHOSEN_B, master: null } }],
    ],
    fails: [['b is there', { record: CHOSEN_B }]],
  },
  someCandidate: {
    holds: [
      ['b can', { record: CHOSEN_B }],
      ['a can', { record: CHOSEN_B, b: SILENT }],
      ['a can', { record: { ...CHOSEN_B, drained: ['a'] }, b: SILENT }],
      ['b can', { record: { ...CHOSEN_B, previous: null, drained: ['b'] } }],
    ],
    fails: [
      ['a has not been heard for 900 ms; b has not been heard for 900 ms', { record: CHOSEN_B, a: SILENT, b: SILENT }],
      ['a has not been heard for 900 ms; b is drained', { record: { ...CHOSEN_B, drained: ['b'] }, a: SILENT }],
    ],
  },
  neverWentAlone: {
    holds: [
      ['a never confirmed anything alone', { record: LONE_A, a: { report: { renouncedEpoch: 7 } } }],
      [
        'a never confirmed anything alone',
        { record: { ...CHOSEN_B, ...LONE_A, stage: 'fencing' }, a: { report: { renouncedEpoch: 7 } } },
      ],
    ],
    fails: [
      [
        'no such change is on record',
        { record: { ...LONE_A, formerInSync: null }, a: { report: { renouncedEpoch: 7 } } },
      ],
      ['no such change is on record', { record: LONE_A, a: { report: null } }],
      ['a has not given up epoch 7', { record: LONE_A }],
      ['a has not given up epoch 7', { record: { ...CHOSEN_B, ...LONE_A, stage: 'fencing' } }],
      ['a knows of nothing: its log is empty', { record: LONE_A, a: { report: { renouncedEpoch: 7, end: 0 } } }],
      [
        'a may have confirmed anything alone',
        { record: LONE_A, a: { report: { renouncedEpoch: 7, confirmedAlone: true } } },
      ],
    ],
  },
  choiceIsComplete: {
    holds: [
      ['b does', { record: CHOSEN_B, a: SILENT }],
      ['b does', { record: CHOSEN_B, a: { report: { assignmentRevision: 3 } }, b: DOUBTFUL }],
      ['b does', { record: { ...CHOSEN_B, inSync: ['b'] }, a: SILENT, b: DOUBTFUL }],
      ['b does', { record: { ...CHOSEN_B, dataLossAccepted: true }, a: SILENT, b: DOUBTFUL }],
    ],
    fails: [
      [
        'the log of b may lack some, and a has not been told yet',
        { record: CHOSEN_B, a: { report: { assignmentRevision: 2 } }, b: DOUBTFUL },
      ],
      ['the log of b may lack some, and a is not here to compare', { record: CHOSEN_B, a: SILENT, b: DOUBTFUL }],
      [
        'the log of b may lack some, and a has more',
        { record: CHOSEN_B, a: { report: { end: 184_224, assignmentRevision: 3 } }, b: DOUBTFUL },
      ],
      [
        'the log of b may lack some, and a is not here to compare',
        { record: { ...CHOSEN_B, inSync: ['b'], cause: 'initial' }, a: SILENT, b: DOUBTFUL },
      ],
    ],
  },
  anotherHoldsMore: {
    holds: [['a is better', { record: CHOSEN_B, a: { report: { end: 184_224 } }, b: DOUBTFUL }]],
    fails: [
      ['none is better', { record: CHOSEN_B, a: { report: { end: 184_224 } } }],
      ['none is better', { record: CHOSEN_B, b: DOUBTFUL }],
      // Level with the chosen one, whose app only needs more time to start.
      [
        'none is better',
        {
          record: { ...CHOSEN_B, cause: 'initial' },
          a: { report: { assignmentRevision: 2 } },
          b: { report: { intact: false, app: 'down' } },
        },
      ],
      ['none is better', { record: CHOSEN_B, a: { report: { end: 184_224, app: 'down' } }, b: DOUBTFUL }],
    ],
  },
  formerMasterIsFenced: {
    holds: [
      ['a renounced', { record: CHOSEN_B, a: GAVE_UP }],
      [
        'a renounced',
        { record: { ...CHOSEN_B, masterNeedsNoLease: true }, a: { renouncedEpoch: 7, grantRunsMs: 900 } },
      ],
      ['the grant to a runs for 0 ms', { record: CHOSEN_B, a: { ...SILENT, grantRunsMs: 0 } }],
      ['no former master', { record: { ...CHOSEN_B, previous: null }, a: { grantRunsMs: 0 } }],
      [
        'the grant to a runs for 0 ms',
        { record: { ...CHOSEN_B, ...fence('waived') }, thresholds: ALWAYS, a: { ...SILENT, grantRunsMs: 0 } },
      ],
    ],
    fails: [
      ['the grant to a runs for 250 ms', { record: CHOSEN_B, a: { ...SILENT, grantRunsMs: 250 } }],
      [
        'a may serve alone without a lease; once you have made sure that it is off: hsctl fenced world a',
        { record: { ...CHOSEN_B, masterNeedsNoLease: true }, a: { ...SILENT, grantRunsMs: 0 } },
      ],
      [
        'a may serve alone without a lease; a is not fenced yet',
        { record: { ...CHOSEN_B, masterNeedsNoLease: true }, thresholds: COMMANDS, a: { ...SILENT, grantRunsMs: 0 } },
      ],
      [
        'a is being fenced',
        { record: { ...CHOSEN_B, ...fence('wanted') }, thresholds: ALWAYS, a: { ...SILENT, grantRunsMs: 0 } },
      ],
      ['a grant to a may run for 250 ms', { record: { ...CHOSEN_B, previous: null }, a: { grantRunsMs: 250 } }],
    ],
  },
  fenceIsDue: {
    holds: [
      [
        'a has not given up',
        { record: { ...CHOSEN_B, masterNeedsNoLease: true }, thresholds: COMMANDS, a: SILENT, stageMs: 0 },
      ],
      ['a has not given up', { record: CHOSEN_B, thresholds: ALWAYS, a: SILENT, stageMs: 0 }],
    ],
    fails: [
      ['no former master', { record: { ...CHOSEN_B, previous: null }, thresholds: ALWAYS }],
      ['a renounced', { record: CHOSEN_B, thresholds: ALWAYS, a: GAVE_UP }],
      ['a is being fenced', { record: { ...CHOSEN_B, ...fence('wanted') }, thresholds: ALWAYS, a: SILENT }],
      ['a has a lease that ends, or no commands', { record: CHOSEN_B, thresholds: COMMANDS, a: SILENT }],
      ['a is heard and may give up by itself', { record: CHOSEN_B, thresholds: ALWAYS, stageMs: 90_000 }],
    ],
  },
  masterIsReady: {
    holds: [['b is master, ready', { record: { ...CHOSEN_B, stage: 'promoting' }, b: READY_UNDER_8 }]],
    fails: [
      ['b is slave, no reign', { record: { ...CHOSEN_B, stage: 'promoting' } }],
      ['b is master, promoting', { record: CHOSEN_B, b: { report: { ...READY_UNDER_8.report, phase: 'promoting' } } }],
      ['b is master, ready', { record: { ...CHOSEN_B, epoch: 9 }, b: READY_UNDER_8 }],
      ['b is not heard, no reign', { record: CHOSEN_B, b: { report: null } }],
    ],
  },
  trafficHasMoved: {
    holds: [['traffic goes there', {}]],
    fails: [['traffic does not go there yet', { trafficMoved: false }]],
  },
  masterIsQuiesced: {
    holds: [
      [
        'master is quiesced at 184223, target is at 184223',
        { record: { target: 'b' }, a: { report: { phase: 'quiesced' } } },
      ],
    ],
    fails: [
      ['master is ready at 184223, target is at 184223', { record: { target: 'b' } }],
      [
        'master is quiesced at 184223, target is at 184222',
        { record: { target: 'b' }, a: { report: { phase: 'quiesced' } }, b: { report: { end: 184_222 } } },
      ],
      ['no other node is to become master', { record: { target: null }, a: { report: { phase: 'quiesced' } } }],
      ['master is gone at ?, target is at 184223', { record: { target: 'b' }, a: { report: null } }],
      [
        'master is quiesced at 184223, target is at 184223',
        { record: { target: 'b' }, a: { report: { phase: 'quiesced', assignmentRevision: 2 } } },
      ],
      [
        'master is quiesced at 184223, target is at 184223',
        { record: { target: 'b', epoch: 8 }, a: { report: { phase: 'quiesced' } } },
      ],
    ],
  },
  switchoverFailed: {
    holds: [
      ['no target', { stageMs: 1 }],
      ['not quiesced after 5.0 s', { record: { target: 'b' }, stageMs: 5_001 }],
      ['the app on b is down', { record: { target: 'b' }, stageMs: 1, b: { report: { app: 'down' } } }],
      ['a gave up epoch 7: the app crashed', { record: { target: 'b' }, stageMs: 1, a: GAVE_UP }],
    ],
    fails: [['all is in order', { record: { target: 'b' }, stageMs: 5_000 }]],
  },
  proposalPending: {
    holds: [
      ['a proposes a', { a: { report: { proposal: { id: 1, epoch: 7, inSync: ['a'] } } } }],
      [
        'a proposes a, b',
        { record: { inSync: ['a'] }, a: { report: { proposal: { id: 1, epoch: 7, inSync: ['a', 'b'] } } } },
      ],
    ],
    fails: [
      ['none', {}],
      ['recorded already', { a: { report: { proposal: { id: 1, epoch: 7, inSync: ['b', 'a'] } } } }],
      ['none', { a: { report: { proposal: { id: 1, epoch: 6, inSync: ['a'] } } } }],
      ['none', { a: { report: { proposal: { id: 1, epoch: 7, inSync: ['b'] } } } }],
      ['none', { a: { report: { proposal: { id: 1, epoch: 7, inSync: ['a', 'c'] } } } }],
      ['none', { a: { ...SILENT, report: { proposal: { id: 1, epoch: 7, inSync: ['a'] } } } }],
      ['none', { a: { renouncedEpoch: 7, report: { proposal: { id: 1, epoch: 7, inSync: ['a'] } } } }],
      ['none', { b: { report: { proposal: { id: 1, epoch: 7, inSync: ['b'] } } } }],
    ],
  },
};
