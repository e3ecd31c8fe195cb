import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Cluster, GROUP, NODES, type NodeName, otherThan } from './cluster.ts';
import { machineMs } from './machine-clock.ts';
import type { MachineClock } from './machine-clocks.ts';
import type { Rig } from './rig.ts';
import type { RigProcess } from './rig-process.ts';
import type { SmallDisk } from './small-disk.ts';

const BUSY_ON_SIGNAL = fileURLToPath(new URL('fixtures/busy-on-signal.ts', import.meta.url));

/** Something that befalls a running pair, and its end. Faults without a common target do not disturb each other's end. */
export interface Fault {
  readonly name: string;
  readonly targets: readonly string[];
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** A program of the pair: `controller`, `agent a`, `app b` ... */
export type Program = 'controller' | `agent ${NodeName}` | `app ${NodeName}`;

const PROGRAMS: readonly Program[] = ['controller', 'agent a', 'agent b', 'app a', 'app b'];

/** Hosts between which packets can be lost. */
type HostName = NodeName | 'director' | 'client';

export interface FaultScene {
  readonly rig: Rig;
  readonly cluster: Cluster;
}

function processOf(cluster: Cluster, program: Program): RigProcess {
  if (program === 'controller') return cluster.controller;
  const [kind, node] = program.split(' ') as ['agent' | 'app', NodeName];
  return kind === 'agent' ? cluster.agent(node) : cluster.app(node);
}

async function startIfEnded(cluster: Cluster, program: Program): Promise<void> {
  if (processOf(cluster, program).running) return;
  if (program === 'controller') return cluster.startController();
  const [kind, node] = program.split(' ') as ['agent' | 'app', NodeName];
  return kind === 'agent' ? cluster.startAgent(node) : cluster.startApp(node);
}

/** SIGKILL; in the end the program is started again. */
export function killed({ cluster }: FaultScene, program: Program): Fault {
  return {
    name: `${program} killed`,
    targets: [program],
    begin: async () => void (await processOf(cluster, program).kill()),
    end: () => startIfEnded(cluster, program),
  };
}

/** SIGSTOP; in the end SIGCONT. */
export function frozen({ cluster }: FaultScene, program: Program): Fault {
  return {
    name: `${program} frozen`,
    targets: [program],
    begin: async () => processOf(cluster, program).freeze(),
    end: async () => {
      processOf(cluster, program).thaw();
      await startIfEnded(cluster, program);
    },
  };
}

/**
 * The program's event loop stands still, as in a long garbage collection, while its other threads and the kernel go on.
 * For programs that were started in the environment that `busyEnv` gives.
 */
export function busy({ rig, cluster }: FaultScene, program: Program): Fault {
  const [, node = 'director'] = program.split(' ');
  const file = busyFile(rig.host(node));
  return {
    name: `${program} busy`,
    targets: [program],
    begin: async () => {
      writeFileSync(file, '');
      processOf(cluster, program).signal('SIGUSR2');
    },
    end: async () => rmSync(file),
  };
}

/** Environment of programs on `machine` that can be kept busy. */
export function busyEnv(machine: { readonly dir: string }): Record<string, string> {
  return { NODE_OPTIONS: `--import=${BUSY_ON_SIGNAL}`, HSRIG_BUSY: busyFile(machine) };
}

function busyFile({ dir }: { readonly dir: string }): string {
  return join(dir, 'busy');
}

/**
 * The machine stands still, as one that is suspended: its processes do nothing (its kernel goes on), and its monotonic
 * clock does not count that time.
 */
export function suspended(scene: FaultScene, node: NodeName, clock: MachineClock): Fault {
  const still = together(`machine ${node} suspended`, [frozen(scene, `agent ${node}`), frozen(scene, `app ${node}`)]);
  let sinceMs = 0;
  return {
    ...still,
    begin: async () => {
      await still.begin();
      sinceMs = machineMs();
    },
    end: async () => {
      clock.slept(machineMs() - sinceMs);
      await still.end();
    },
  };
}

/** Somebody sets a machine's wall clock, and sets it right in the end. */
export function clockSet(machine: string, byMs: number, clock: MachineClock): Fault {
  return {
    name: `clock of ${machine} set by ${Math.round(byMs)} ms`,
    targets: [`clock of ${machine}`],
    begin: async () => clock.setWall(byMs),
    end: async () => clock.setWall(-byMs),
  };
}

/** Agent and app are killed at once, as by a power failure, and started again. */
export function rebooted(scene: FaultScene, node: NodeName): Fault {
  return together(`machine ${node} rebooted`, [killed(scene, `agent ${node}`), killed(scene, `app ${node}`)]);
}

/** All that runs is killed at once, and started again. */
export function blackout(scene: FaultScene): Fault {
  return together(
    'blackout',
    PROGRAMS.map((program) => killed(scene, program)),
  );
}

function together(name: string, parts: readonly Fault[]): Fault {
  return {
    name,
    targets: parts.flatMap(({ targets }) => targets),
    begin: async () => void (await Promise.all(parts.map((part) => part.begin()))),
    end: async () => {
      for (const part of parts) await part.end();
    },
  };
}

/** The node that is not master at the beginning is killed and comes back with an empty disk. */
export function storeLost({ cluster }: FaultScene): Fault {
  let node: NodeName | null = null;
  return {
    name: 'store of the slave lost',
    targets: PROGRAMS,
    begin: async () => {
      const { master, stage, protectedBy } = await cluster.status();
      if (stage !== 'serving' || protectedBy.length === 0) return; // it may hold what the other one lacks
      node = NODES.find((each) => each !== master) ?? null;
      if (node === null) return;
      await cluster.agent(node).kill();
      const store = cluster.store(node);
      for (const name of readdirSync(store)) rmSync(join(store, name), { recursive: true });
    },
    end: async () => {
      if (node !== null) await startIfEnded(cluster, `agent ${node}`);
    },
  };
}

/** The controller is killed and comes back without anything on record. */
export function recordsLost(scene: FaultScene): Fault {
  const controller = killed(scene, 'controller');
  return {
    name: 'records of the controller lost',
    targets: ['controller'],
    begin: async () => {
      await controller.begin();
      rmSync(scene.cluster.records, { recursive: true, force: true });
    },
    end: () => controller.end(),
  };
}

/** Nothing arrives from the one at the other. */
export function cutOneWay({ rig }: FaultScene, from: HostName, to: HostName): Fault {
  return {
    name: `${from} to ${to} cut`,
    targets: [linkBetween(from, to)],
    begin: () => rig.cut(from, to),
    end: () => rig.heal(from, to),
  };
}

export function cutBothWays({ rig }: FaultScene, one: HostName, other: HostName): Fault {
  return {
    name: `${one} and ${other} cut`,
    targets: [linkBetween(one, other)],
    begin: () => rig.cutBoth(one, other),
    end: () => rig.heal(one, other),
  };
}

/** Three of ten packets are lost, both ways. */
export function lossy({ rig }: FaultScene, one: HostName, other: HostName): Fault {
  return {
    name: `${one} and ${other} lossy`,
    targets: [linkBetween(one, other)],
    begin: () => rig.lose(one, other),
    end: () => rig.heal(one, other),
  };
}

/** Cut and healed in turn, each for a time that `nextMs` gives. */
export function flapping({ rig }: FaultScene, one: HostName, other: HostName, nextMs: () => number): Fault {
  const stop = new AbortController();
  let flaps: Promise<void> = Promise.resolve();
  const flap = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await rig.cutBoth(one, other);
      await pause(nextMs());
      await rig.heal(one, other);
      await pause(nextMs());
    }
  };
  return {
    name: `${one} and ${other} flapping`,
    targets: [linkBetween(one, other)],
    begin: async () => void (flaps = flap()),
    end: () => {
      stop.abort();
      return flaps;
    },
  };
}

/** The host is silent for all. */
export function isolated({ rig }: FaultScene, host: HostName): Fault {
  return {
    name: `${host} isolated`,
    targets: [`links of ${host}`],
    begin: () => rig.isolate(host),
    end: () => rig.rejoin(host),
  };
}

/** The disk takes nothing more; in the end there is room again, and somebody has started the agent anew. */
export function diskFull({ cluster }: FaultScene, node: NodeName, disk: SmallDisk): Fault {
  return {
    name: `disk of ${node} full`,
    targets: [`agent ${node}`],
    begin: () => disk.fill(),
    end: async () => {
      disk.empty();
      await cluster.agent(node).stop();
      await cluster.startAgent(node);
    },
  };
}

export const DEEDS = ['promote', 'drain master', 'drain slave', 'pause'] as const;
export type Deed = (typeof DEEDS)[number];

/** An operator's deed, whether or not it is refused; in the end it is taken back. */
export function operatorDoes({ cluster }: FaultScene, deed: Deed): Fault {
  const { api } = cluster;
  const by = { group: GROUP, operator: 'rig' };
  const act = async (): Promise<unknown> => {
    if (deed === 'pause') return api.pause({ ...by, forMs: 60_000 });
    const master = await cluster.master();
    if (deed === 'promote') {
      return api.promote({ ...by, node: otherThan(master), dryRun: false, force: false, allowDataLoss: false });
    }
    return api.drain({ ...by, node: deed === 'drain master' ? master : otherThan(master), timeoutMs: null });
  };
  const takeBack = async (): Promise<void> => {
    if (deed === 'pause') await api.resume(by);
    if (deed.startsWith('drain')) for (const node of NODES) await api.undrain({ ...by, node });
  };
  return {
    name: `operator: ${deed}`,
    targets: ['operator'],
    begin: async () => void act().catch(() => {}), // the controller may be gone, or refuse
    end: () => takeBack().catch(() => {}),
  };
}

function linkBetween(one: HostName, other: HostName): string {
  return [one, other].toSorted().join('-');
}
