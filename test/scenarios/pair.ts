import assert from 'node:assert/strict';
import { join } from 'node:path';
import { clusterStatusSchema } from '../../src/model/status.ts';
import { Cluster, type ClusterOptions, GROUP, type NodeName, otherThan, USUAL_PORTS } from '../rig/cluster.ts';
import { failures } from '../rig/history.ts';
import { type HistoryOptions, HistoryRun } from '../rig/history-run.ts';
import { MachineClocks } from '../rig/machine-clocks.ts';
import { type AppKind, friendListIn, TRAFFIC, type TrafficKind, VIP } from '../rig/pair-kinds.ts';
import { Rig } from '../rig/rig.ts';
import { until } from '../rig/until.ts';

/** A pair in the rig that serves, and a client that writes to it. */
export interface Scene {
  readonly rig: Rig;
  readonly cluster: Cluster;
  /** Node that serves at the beginning. */
  readonly master: NodeName;
  readonly history: HistoryRun;
  /** Of the daemons' machines, if the options ask for them; else null. */
  readonly clocks: MachineClocks | null;
}

/** A planned change to the other node and one back, during which no write may fail. */
export async function thereAndBack({ cluster, master, history }: Scene): Promise<void> {
  for (const node of [otherThan(master), master]) {
    await cluster.hsctl('promote', GROUP, node, '--wait');
    await history.nextOk();
    assert.equal(await cluster.master(), node);
    await cluster.whole();
  }
  assert.deepEqual(failures(history.soFar(), 0, Infinity), []);
}

export interface Lead {
  readonly service: string;
  readonly entries: readonly { readonly type: string; readonly [key: string]: unknown }[];
}

export interface PairOptions {
  readonly app?: AppKind | ClusterOptions['app'];
  readonly traffic?: TrafficKind;
  /** Instead of a usual kind: starts what the traffic needs; gives where clients connect, and the entries of the file. */
  readonly lead?: (rig: Rig) => Promise<Lead>;
  readonly failover?: ClusterOptions['failover'];
  readonly replication?: object;
  readonly appSettings?: object;
  /** Added to the environment of the daemons that are started from then on. */
  readonly env?: ClusterOptions['env'];
  /** How the client goes about it. */
  readonly client?: Omit<HistoryOptions, 'to'>;
  /** Daemons get clocks that can be moved. */
  readonly clocks?: boolean;
}

/**
 * Plays `act` on a pair under a writing client; whatever it does, in the end the pair has to serve from one node, with
 * both in sync, the address on that node alone, and every acknowledged write in its lists.
 */
export function onPair(act: (scene: Scene) => Promise<void>, options: PairOptions = {}): Promise<void> {
  return Rig.use(async (rig) => {
    const { app = 'typescript', traffic = 'vip' } = options;
    const { service, entries } = options.lead === undefined ? usualLead(traffic) : await options.lead(rig);
    const clocks = options.clocks === true ? await MachineClocks.make(rig.dir, rig.hosts) : null;
    const cluster = await Cluster.start({
      director: rig.host('director'),
      nodes: { a: rig.host('a'), b: rig.host('b') },
      dir: join(rig.dir, 'cluster'),
      ports: USUAL_PORTS,
      app: typeof app === 'function' ? app : await friendListIn(app),
      traffic: entries,
      failover: { holdDown: '0s', ...options.failover },
      replication: { ...options.replication },
      ...(options.appSettings === undefined ? {} : { appSettings: options.appSettings }),
      env: (machine) => ({ ...clocks?.env(machine), ...options.env?.(machine) }),
    });
    const history = await HistoryRun.start(rig.host('client'), { to: service, ...options.client });
    await history.nextOk();
    await act({ rig, cluster, master: await cluster.master(), history, clocks });
    await rig.healAll();
    await cluster.restartEnded();
    await cluster.whole();
    await history.nextOk();
    await history.stop();
    const hasVip = entries.some(({ type }) => type === 'vip');
    assert.deepEqual(await rig.holders(VIP), hasVip ? [await cluster.master()] : []);
    const { lost, ghosts, duplicates } = await history.check(service);
    assert.deepEqual({ lost, ghosts, duplicates }, { lost: [], ghosts: [], duplicates: [] });
  });
}

function usualLead(kind: TrafficKind): Lead {
  const { service, entry } = TRAFFIC[kind];
  return { service, entries: [entry] };
}

/** Why the controller decides nothing at present; null if it does. */
export async function tiltOf(cluster: Cluster): Promise<string | null> {
  return clusterStatusSchema.parse(await cluster.api.status(GROUP)).controller?.tilt ?? null;
}

/** Resolves when the controller leaves the group as it is by this rule; gives what `hsctl explain` says then. */
export function heldBy(cluster: Cluster, rule: string): Promise<string> {
  return until(`rule ${rule}`, async () => {
    const { wouldDo } = await cluster.api.explain(GROUP);
    return wouldDo === rule && cluster.hsctl('explain', GROUP);
  });
}
