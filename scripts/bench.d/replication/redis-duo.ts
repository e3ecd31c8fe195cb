import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import type { LocalMachine } from '../../../test/rig/machine.ts';
import type { RigProcess } from '../../../test/rig/rig-process.ts';
import { until } from '../../../test/rig/until.ts';
import { freePorts } from '../../../test/rig/free-ports.ts';
import { AppConnection } from './app-connection.ts';
import type { DuoNode } from './hsctl-duo.ts';

/**
 * Settings with which Redis is fastest here: nothing is written to disk, a replica is synchronised from memory to memory
 * at once, and is never dropped for being slow.
 */
const SETTINGS = {
  save: '',
  appendonly: 'no',
  rdbcompression: 'no',
  'repl-diskless-sync': 'yes',
  'repl-diskless-sync-delay': '0',
  'repl-diskless-load': 'on-empty-db',
  'client-output-buffer-limit': 'replica 0 0 0',
  'repl-timeout': '600',
} as const;

/** Two servers of Redis, b the asynchronous replica of a. */
export class RedisDuo {
  readonly dir: string;
  readonly #machine: LocalMachine;
  readonly #ports: Readonly<Record<DuoNode, number>>;
  readonly #servers = new Map<DuoNode, RigProcess>();

  private constructor(machine: LocalMachine, [a = 0, b = 0]: readonly number[]) {
    this.#machine = machine;
    this.#ports = { a, b };
    this.dir = join(machine.dir, 'redis');
    for (const node of ['a', 'b']) mkdirSync(join(this.dir, node), { recursive: true });
  }

  /** Starts the master alone. */
  static async startMaster(machine: LocalMachine): Promise<RedisDuo> {
    const duo = new RedisDuo(machine, await freePorts(2));
    await duo.#spawn('a', []);
    return duo;
  }

  /** Starts both; resolves once the replica follows. */
  static async start(machine: LocalMachine): Promise<RedisDuo> {
    const duo = await RedisDuo.startMaster(machine);
    await duo.startReplica();
    await duo.inSync();
    return duo;
  }

  async startReplica(): Promise<void> {
    await this.#spawn('b', ['--replicaof', '127.0.0.1', String(this.#ports.a)]);
  }

  /** Ends the replica, which forgets all that it had. */
  async stopReplica(): Promise<void> {
    await this.#servers.get('b')?.stop(60_000);
  }

  /** Where the master serves. */
  get clientPort(): number {
    return this.#ports.a;
  }

  socket(node: DuoNode): string {
    return join(this.dir, `${node}.sock`);
  }

  pid(node: DuoNode): number {
    return this.#servers.get(node)?.pid ?? 0;
  }

  /** Resolves once the replica has all of the master's and goes on from there. */
  async inSync(limitMs = 1_200_000): Promise<void> {
    const replica = await until('the replica to listen', () => this.#open('b'), 60_000, 5);
    await until(
      'the replica to follow',
      async () => {
        const info = await replica.ask('INFO', 'replication').catch(() => null);
        return info instanceof Uint8Array && Buffer.from(info).includes('master_link_status:up');
      },
      limitMs,
      20,
    );
    replica.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#servers.values()].map((server) => server.stop(60_000)));
  }

  async #open(node: DuoNode): Promise<AppConnection | null> {
    return AppConnection.open(this.socket(node)).catch(() => null);
  }

  async #spawn(node: DuoNode, more: readonly string[]): Promise<void> {
    const own = ['--port', String(this.#ports[node]), '--bind', '127.0.0.1', '--unixsocket', this.socket(node)];
    const settings = Object.entries(SETTINGS).flatMap(([name, value]) => [`--${name}`, ...value.split(' ')]);
    const argv = ['redis-server', ...own, '--dir', join(this.dir, node), ...settings, ...more];
    this.#servers.set(node, await this.#machine.spawn(argv, { name: `redis-${node}` }));
    (await until(`Redis ${node} to listen`, () => this.#open(node), 60_000, 5)).close();
  }
}
