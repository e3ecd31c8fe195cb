import type { Assignment } from '../../../src/model/assignment.ts';
import { checkConsistent } from './consistent.ts';
import { CoreHarness, SETTINGS } from './core-harness.ts';

/** What may happen to an agent; each can be done to a core in any state. */
export interface Deed {
  readonly name: string;
  readonly act: (agent: Agent) => void;
}

/** A core with the epochs' owners: the controller never gives one epoch to two nodes. */
export class Agent {
  harness = new CoreHarness();
  /** Owner of each epoch that was assigned. */
  readonly owners = new Map<number, 'a' | 'b'>();
  runs = 1;

  /** The role of the present epoch, or of the next one, as far as its owner allows. */
  assign(role: Assignment['role'], ahead: 0 | 1, change: Partial<Assignment> = {}): void {
    const epoch = this.harness.core.epoch + ahead;
    const owner = role === 'slave' ? 'b' : 'a';
    const known = this.owners.get(epoch);
    if (epoch === 0 || epoch > HIGHEST_EPOCH || (known !== undefined && known !== owner)) return;
    // Before its promotion an epoch has an owner to be, whom the agents need not know; after it nobody waits any more.
    if (role === 'wait' && known !== undefined) return;
    if (role !== 'wait') this.owners.set(epoch, owner);
    this.harness.assign({ role, epoch, peerRenouncedEpoch: 0, ...change });
  }

  restart(): void {
    this.runs = 2;
    this.harness = this.harness.restarted(`a-${this.runs}`);
  }
}

/** Enough for a reign, one of the other node, and one more. */
const HIGHEST_EPOCH = 3;

const ping = { type: 'ping', sentAtMs: 0, confirmedSeq: 0, wantsLease: true } as const;

export const DEEDS: readonly Deed[] = [
  { name: 'wait in a new epoch', act: (agent) => agent.assign('wait', 1) },
  { name: 'be slave in this epoch', act: (agent) => agent.assign('slave', 0) },
  { name: 'be slave in a new epoch', act: (agent) => agent.assign('slave', 1) },
  { name: 'be slave, and discard', act: (agent) => agent.assign('slave', 0, { mayDiscard: true }) },
  { name: 'be master of this epoch', act: (agent) => agent.assign('master', 0) },
  { name: 'be master of a new epoch', act: (agent) => agent.assign('master', 1) },
  { name: 'be master alone', act: (agent) => agent.assign('master', 1, { inSync: ['a'] }) },
  { name: 'be master as another run', act: (agent) => agent.assign('master', 1, { masterInstance: 'a-0' }) },
  { name: 'quiesce', act: (agent) => agent.assign('master', 0, { quiesce: true }) },
  {
    name: 'hear that the proposal is on record',
    act: (agent) => {
      const { proposal } = agent.harness.core;
      if (proposal !== null) agent.assign('master', 0, { inSync: proposal.inSync, answeredProposal: proposal.id });
    },
  },
  { name: 'get a lease', act: ({ harness }) => harness.lease() },
  { name: 'the app is ready', act: ({ harness }) => harness.ready() },
  { name: 'the app fails', act: ({ harness }) => harness.appFails() },
  { name: 'the slave confirms', act: ({ harness }) => harness.slaveConfirms() },
  { name: 'the slave is lost', act: ({ harness }) => harness.core.onPeerLost() },
  { name: 'the peer gave up', act: ({ harness }) => harness.core.onPeerRelease(harness.core.epoch) },
  {
    name: 'meet the master of this epoch',
    act: ({ harness, owners }) => {
      const { epoch } = harness.core;
      if (owners.get(epoch) === 'b') harness.core.onPeerHello({ role: 'master', epoch, renouncedEpoch: epoch - 1 });
    },
  },
  {
    name: 'be asked for a lease',
    act: ({ harness }) => void harness.core.onPing({ ...ping, epoch: harness.core.epoch }),
  },
  { name: 'a lease passes', act: ({ harness }) => harness.pass(2 * SETTINGS.leaseMs) },
  { name: 'long time passes', act: ({ harness }) => harness.pass(10 * SETTINGS.leaseMs) },
  { name: 'work has ended', act: ({ harness }) => harness.core.onWorkEnded() },
  { name: 'traffic is taken', act: ({ harness }) => takeTraffic(harness) },
  { name: 'traffic is gone', act: ({ harness }) => harness.core.onTrafficGone() },
  { name: 'the logs have parted', act: ({ harness }) => diverge(harness) },
  { name: 'the disk fails', act: ({ harness }) => harness.core.onStoreFailed('input/output error', false) },
  { name: 'the store is damaged', act: ({ harness }) => harness.core.onStoreFailed('bad checksum', true) },
  { name: 'be slave outside the in-sync set', act: (agent) => agent.assign('slave', 0, { inSync: ['b'] }) },
  { name: 'the store is made anew', act: ({ harness }) => repair(harness) },
  { name: 'restart', act: (agent) => agent.restart() },
  { name: 'stop', act: ({ harness }) => harness.core.stop() },
];

function takeTraffic({ core }: CoreHarness): void {
  if (core.posture().serves) core.onTrafficTaken();
}

/** Only whoever follows finds out. */
function diverge({ core }: CoreHarness): void {
  if (core.role === 'slave') core.onDiverged();
}

/** Only a slave whose store is damaged does. */
function repair({ core }: CoreHarness): void {
  if (core.storeFailed && core.role === 'slave') core.onRepaired();
}

/** A state that was reached, by the shortest way to it. */
export interface Reached {
  readonly key: string;
  readonly way: readonly Deed[];
}

export function reach(way: readonly Deed[]): Agent {
  const agent = new Agent();
  for (const deed of way) deed.act(agent);
  return agent;
}

/** All states that at most `steps` deeds lead to, breadth first; each step is checked on the way. */
export function reachable(steps: number): Reached[] {
  const found = new Map<string, Reached>();
  let frontier: Reached[] = [{ key: keyOf(new Agent()), way: [] }];
  for (const start of frontier) found.set(start.key, start);
  for (let step = 0; step < steps; step += 1) {
    const next: Reached[] = [];
    for (const { way } of frontier) {
      for (const deed of DEEDS) {
        const agent = reach(way);
        deed.act(agent);
        const longer = [...way, deed];
        checkConsistent(agent.harness, longer.map(({ name }) => name).join(', '));
        const key = keyOf(agent);
        if (found.has(key)) continue;
        const state = { key, way: longer };
        found.set(key, state);
        next.push(state);
      }
    }
    frontier = next;
  }
  return [...found.values()];
}

/** What makes two cores differ in what they do next, times aside. */
function keyOf({ harness, owners, runs }: Agent): string {
  const { core } = harness;
  const { dialPeer, serves, writes } = core.posture();
  return JSON.stringify([
    core.role,
    core.phase,
    core.epoch,
    core.renouncedEpoch,
    core.storeFailed,
    core.assignment?.epoch,
    core.proposal?.inSync,
    core.waitsForSlave,
    core.peer.renouncedEpoch,
    core.peer.grantRunsMs > 0,
    dialPeer,
    serves,
    writes,
    owners.get(core.epoch),
    runs,
  ]);
}
