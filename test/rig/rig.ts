import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Host } from './host.ts';
import { newRigId, removeRig, sweepRigs } from './leftovers.ts';
import { Network } from './network.ts';

const USUAL_HOSTS = ['client', 'director', 'a', 'b'] as const;

/** Lines of each process' output that are printed when the body of `Rig.use` fails. */
const TAIL_LINES = 40;

/**
 * Several machines on this one: hosts in network namespaces on a segment of their own, the processes on them, and the
 * faults that can befall them. Needs root. Leaves nothing behind, whatever ends it.
 *
 * ```ts
 * await Rig.use(async (rig) => {
 *   const server = await rig.host('a').spawn(['redis-server']);
 *   await rig.isolate('a');
 * });
 * ```
 */
export class Rig {
  readonly id: string;
  /** Folder for everything that the rig's processes write; removed with the rig. */
  readonly dir: string;
  readonly hosts: readonly Host[];
  readonly #network: Network;

  private constructor(id: string, dir: string, network: Network) {
    this.id = id;
    this.dir = dir;
    this.#network = network;
    this.hosts = network.places.map((place) => new Host(place, join(dir, place.name)));
  }

  /** Makes the hosts, after removing what rigs of dead processes left. To be closed; better is `Rig.use`. */
  static async create(hosts: readonly string[] = USUAL_HOSTS): Promise<Rig> {
    sweepRigs();
    const id = newRigId();
    const dir = join(tmpdir(), id);
    mkdirSync(dir);
    guardExit(id);
    try {
      return new Rig(id, dir, await Network.create(id, hosts));
    } catch (error) {
      release(id);
      throw error;
    }
  }

  /** Lends a rig to `body`. If that fails, the end of each process' output goes to standard error. */
  static async use<T>(body: (rig: Rig) => Promise<T>, hosts: readonly string[] = USUAL_HOSTS): Promise<T> {
    const rig = await Rig.create(hosts);
    try {
      return await body(rig);
    } catch (error) {
      process.stderr.write(rig.tails());
      throw error;
    } finally {
      await rig.close();
    }
  }

  /** Removes what rigs of processes that are gone left on this machine; gives their ids. */
  static sweep(): string[] {
    return sweepRigs();
  }

  host(name: string): Host {
    const host = this.hosts.find((candidate) => candidate.name === name);
    if (!host) throw new Error(`the rig has no host ${name}`);
    return host;
  }

  /** Names of the hosts that hold `address` at this moment. */
  async holders(address: string): Promise<string[]> {
    const holding = await Promise.all(this.hosts.map((host) => host.holds(address)));
    return this.hosts.filter((_, index) => holding[index]).map((host) => host.name);
  }

  /** Loses from now on all that goes from one host to another, in this direction only. */
  cut(from: string, to: string): Promise<void> {
    return this.#network.cut([[from, to]]);
  }

  /** Loses all between two hosts. */
  cutBoth(one: string, other: string): Promise<void> {
    return this.#network.cut(bothWays(one, [other]));
  }

  /** Loses all between a host and every other: the machine has gone silent. */
  isolate(name: string): Promise<void> {
    return this.#network.cut(bothWays(name, this.#others(name)));
  }

  /** Loses three of ten packets between two hosts. */
  lose(one: string, other: string): Promise<void> {
    return this.#network.lose(bothWays(one, [other]));
  }

  /** Lets two hosts talk again, both ways. */
  heal(one: string, other: string): Promise<void> {
    return this.#network.heal(bothWays(one, [other]));
  }

  /** Ends `isolate` and every other cut of that host. */
  rejoin(name: string): Promise<void> {
    return this.#network.heal(bothWays(name, this.#others(name)));
  }

  /** Ends every cut and loss. */
  healAll(): Promise<void> {
    return this.#network.healAll();
  }

  /** State and last lines of every process that was started, for a person who looks for a cause. */
  tails(lines = TAIL_LINES): string {
    const processes = this.hosts.flatMap((host) => host.processes);
    return processes.map((one) => `--- ${one.name}: ${one.state}\n${one.tail(lines)}\n`).join('');
  }

  /** Ends all processes and removes namespaces and files. */
  async close(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.close()));
    release(this.id);
  }

  #others(name: string): string[] {
    return this.hosts.map((host) => host.name).filter((other) => other !== name);
  }
}

function bothWays(one: string, others: readonly string[]): [string, string][] {
  return others.flatMap((other): [string, string][] => [
    [one, other],
    [other, one],
  ]);
}

/** Rigs of this process that are not closed yet. */
const open = new Set<string>();

function removeAll(): void {
  for (const id of open) removeRig(id);
}

function exitOnSignal(): never {
  process.exit(1);
}

/** Removes the rig also when this process exits or is told to end before `close`. */
function guardExit(id: string): void {
  if (open.size === 0) {
    process.on('exit', removeAll);
    process.on('SIGINT', exitOnSignal).on('SIGTERM', exitOnSignal).on('SIGHUP', exitOnSignal);
  }
  open.add(id);
}

function release(id: string): void {
  removeRig(id);
  open.delete(id);
  if (open.size > 0) return;
  process.off('exit', removeAll);
  process.off('SIGINT', exitOnSignal).off('SIGTERM', exitOnSignal).off('SIGHUP', exitOnSignal);
}
