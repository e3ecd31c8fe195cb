import fc from 'fast-check';
import type { AgentReport } from '../../../src/model/agent-report.ts';
import type { Assignment } from '../../../src/model/assignment.ts';
import { ROLES } from '../../../src/model/roles.ts';
import type { ControlMessage, LinkMessage, PeerMessage } from '../../../src/protocol/link/messages.ts';

/** Any message that one side may send, for tests of the codec. */

function record<Fields>(fields: { [Name in keyof Fields]: fc.Arbitrary<Fields[Name]> }): fc.Arbitrary<Fields> {
  return fc.record(fields, { noNullPrototype: true });
}

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const count = fc.maxSafeNat();
const name = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });
const text = fc.string({ maxLength: 40, unit: 'grapheme' });
// JSON knows one zero only.
const time = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const duration = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const position = record({ epoch: count, seq: count, hash: fc.integer({ min: 0, max: 0xffff_ffff }) });
const versions = record({ oldest: count, newest: count });
const greeting = { versions, cluster: name, group: name, node: name, instance: name };

function type<Name extends LinkMessage['type']>(value: Name): fc.Arbitrary<Name> {
  return fc.constant(value);
}

const sampleReport: AgentReport = {
  node: 'a',
  instance: '4711',
  version: '0.1.0',
  role: 'master',
  epoch: 7,
  renouncedEpoch: 5,
  phase: 'ready',
  trouble: '',
  storeFailed: false,
  certificateEndsWallMs: null,
  configDigest: '',
  connections: null,
  hooks: [],
  assignmentRevision: 12,
  log: { end: { epoch: 7, seq: 1000, hash: 0xdead_beef }, intact: true, aloneTo: 0 },
  inSync: ['a', 'b'],
  confirmedSeq: 999,
  confirmedAlone: false,
  app: { state: 'up', readyEpoch: 7, restarts: 0, detail: '' },
  peer: {
    linked: true,
    silentMs: 1.5,
    renouncedEpoch: 0,
    grantRunsMs: 0,
    end: { epoch: 7, seq: 999, hash: 1 },
    lagBytes: 148,
    catchUp: { doneBytes: 1, totalBytes: 2, bytesPerSecond: 0.5 },
  },
  proposal: { id: 1, epoch: 7, inSync: ['a'] },
  divergence: null,
  archives: ['/var/lib/hsctl/world/archive-1'],
  addresses: ['10.0.0.100/32'],
  warnings: ['10.0.0.100 is used by the machine 02:00:00:00:00:01 too'],
};

const sampleAssignment: Assignment = {
  revision: 1,
  epoch: 2,
  role: 'slave',
  master: 'a',
  masterInstance: 'f3',
  inSync: ['a', 'b'],
  slaveExpected: true,
  mayServeAlone: false,
  peerRenouncedEpoch: 0,
  quiesce: false,
  drain: 'no',
  mayDiscard: false,
  answeredProposal: 0,
  reason: '',
};

const refusal = record({
  type: type('refusal'),
  code: fc.constantFrom('version', 'identity', 'epoch', 'diverged', 'busy'),
  reason: text,
});
const grant = record({
  type: type('grant'),
  echoedSentAtMs: time,
  epoch: count,
  leaseMs: duration,
  lingerMs: duration,
});
const anyHello = record({ type: type('hello'), ...greeting });
const anyPeerHello = record({
  type: type('peerHello'),
  ...greeting,
  role: fc.constantFrom(...ROLES),
  epoch: count,
  renouncedEpoch: count,
  end: position,
  history: fc.array(record({ epoch: count, firstSeq: count }), { maxLength: 5 }),
  aloneTo: count,
  index: name,
});

const anyControlMessage: fc.Arbitrary<ControlMessage> = fc.oneof(
  anyHello,
  record({ node: text, epoch: count, trouble: text, archives: fc.array(text), confirmedSeq: count }).map((change) => ({
    type: 'report' as const,
    report: { ...sampleReport, ...change },
  })),
  record({
    type: type('beat'),
    sentAtMs: time,
    epoch: count,
    endSeq: count,
    confirmedSeq: count,
    peerSilentMs: time,
    wantsLease: fc.boolean(),
  }),
  grant,
  record({ revision: count, epoch: count, master: fc.option(text), quiesce: fc.boolean(), reason: text }).map(
    (change) => ({ type: 'assign' as const, assignment: { ...sampleAssignment, ...change } }),
  ),
  record({ type: type('reload'), id: count, dryRun: fc.boolean() }),
  record({
    type: type('reloaded'),
    id: count,
    error: text,
    digest: text,
    changes: fc.array(text, { maxLength: 5 }),
    restarts: fc.array(text, { maxLength: 5 }),
  }),
  refusal,
);

const anyPeerMessage: fc.Arbitrary<PeerMessage> = fc.oneof(
  anyPeerHello,
  record({
    type: type('attach'),
    epoch: count,
    fork: position,
    end: position,
    catchUpBytes: count,
    fromNothing: fc.boolean(),
    index: fc.option(record({ name, secret: fc.tuple(word, word, word, word), keys: word })),
  }),
  record({ type: type('segment'), hintBytes: fc.integer({ min: 1, max: 64 * 1024 * 1024 }) }),
  record({ type: type('hint'), bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }) }),
  record({ type: type('batch'), bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }) }),
  record({ type: type('ack'), epoch: count, seq: count }),
  record({ type: type('ping'), sentAtMs: time, epoch: count, confirmedSeq: count, wantsLease: fc.boolean() }),
  grant,
  record({ type: type('release'), renouncedEpoch: count }),
  refusal,
);

/** What one side says on a whole link: a hello and then messages of its kind. */
export const anyConversation: fc.Arbitrary<LinkMessage[]> = fc.oneof(
  fc.tuple(anyHello, fc.array(anyControlMessage, { maxLength: 8 })).map(([first, rest]) => [first, ...rest]),
  fc.tuple(anyPeerHello, fc.array(anyPeerMessage, { maxLength: 8 })).map(([first, rest]) => [first, ...rest]),
);
