import { CoreHarness } from '../../test/agent/core/core-harness.ts';

/** States that an agent can be in, each reached by a real core, with what its posture then says. */
interface AgentState {
  readonly role: string;
  readonly phase: string;
  /** How it is reached. */
  readonly by: string;
  readonly appRole: string;
  readonly serves: boolean;
  readonly writes: string;
  readonly quiesce: boolean;
  readonly dialPeer: boolean;
  readonly feeds: boolean;
  readonly wantsLease: boolean;
  /** Whether it grants its peer a lease when asked for it. */
  readonly grants: boolean;
  /** Its word on the present epoch: whether it has said that it will never serve under it. */
  readonly renounced: boolean;
}

const WAYS: readonly (readonly [by: string, reach: () => CoreHarness])[] = [
  ['its start', () => new CoreHarness({ memory: { epoch: 7, longestGrantMs: 0 } })],
  [
    'a new epoch, whose master is not decided or not fenced yet',
    () => {
      const node = CoreHarness.slave(6);
      node.assign({ role: 'wait', epoch: 7 });
      return node;
    },
  ],
  ['the epoch of another node', () => CoreHarness.slave(7)],
  [
    'a log that its master does not continue',
    () => {
      const node = CoreHarness.slave(7);
      node.core.onDiverged();
      return node;
    },
  ],
  ['its own epoch, until its grant to the peer has run out and it has a lease', () => assigned()],
  ['a lease: the reign stands in the log, the app is told', () => promoted()],
  ['the word of the app', () => CoreHarness.serving(7)],
  [
    'the end of its lease, until the next',
    () => {
      const node = CoreHarness.serving(7);
      node.pass(1_000);
      return node;
    },
  ],
  ['the start of a switchover', () => quiescing()],
  [
    'the end of the work that was under way',
    () => {
      const node = quiescing();
      node.append();
      node.core.onWorkEnded();
      return node;
    },
  ],
  [
    'frozen writes that the slave holds to the last',
    () => {
      const node = quiescing();
      node.core.onWorkEnded();
      return node;
    },
  ],
  [
    'an app that cannot serve, a store that fails, or the stop of the agent: for good',
    () => {
      const node = CoreHarness.serving(7);
      node.appFails();
      return node;
    },
  ],
];

function assigned(): CoreHarness {
  const node = new CoreHarness();
  node.assign({ role: 'master', epoch: 7 });
  return node;
}

function promoted(): CoreHarness {
  const node = assigned();
  node.lease();
  return node;
}

function quiescing(): CoreHarness {
  const node = CoreHarness.serving(7);
  node.assign({ role: 'master', epoch: 7, quiesce: true });
  return node;
}

export function agentStates(): AgentState[] {
  return WAYS.map(([by, reach]) => {
    const { core } = reach();
    const { appRole, serves, writes, quiesce, dialPeer, feeds } = core.posture();
    const { role, epoch } = core;
    const renounced = core.renouncedEpoch >= epoch;
    const phase = core.phase ?? '';
    const { wantsLease } = core.beat();
    const grants = core.onPing({ type: 'ping', sentAtMs: 0, epoch, confirmedSeq: 0, wantsLease: true }).leaseMs > 0;
    return { role, phase, by, appRole, serves, writes, quiesce, dialPeer, feeds, wantsLease, grants, renounced };
  });
}
