import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, it } from 'node:test';
import type { Plain, RawClient } from '../agent/resp/raw-client.ts';
import { NODES, otherThan } from '../rig/cluster.ts';
import { onLoopback } from '../rig/loopback.ts';
import { until } from '../rig/until.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const KEYS = 400;
const ROUNDS = 90;
const VALUE_BYTES = KiB;

/** Reads the log from its beginning, and keeps what it tells; `pauseMs` between two requests of `count` entries. */
class Follower {
  readonly state = new Map<string, string>();
  entries = 0;
  id = '0-0';
  readonly #client: RawClient;
  readonly #count: number;
  readonly #pauseMs: number;

  constructor(client: RawClient, count: number, pauseMs: number) {
    this.#client = client;
    this.#count = count;
    this.#pauseMs = pauseMs;
  }

  /** Follows until it has seen `seq`. */
  async until(seq: () => number): Promise<void> {
    while (Number(this.id.split('-')[1]) < seq()) {
      await this.#step();
      if (this.#pauseMs > 0) await pause(this.#pauseMs);
    }
  }

  async #step(): Promise<void> {
    const words = ['XREAD', 'COUNT', String(this.#count), 'BLOCK', '100', 'STREAMS', 'hs:log', this.id];
    const reply = await this.#client.ask(...words);
    if (typeof reply === 'string' && reply.startsWith('-FORKED')) {
      this.state.clear();
      this.id = '0-0';
      return;
    }
    assert.ok(reply === null || Array.isArray(reply), JSON.stringify(reply)?.slice(0, 200));
    const [stream] = (reply ?? []) as [string, [string, string[]][]][];
    for (const [id, fields] of stream?.[1] ?? []) this.#take(id, fields);
  }

  #take(id: string, fields: readonly string[]): void {
    assert.ok(Number(id.split('-')[1]) > Number(this.id.split('-')[1]), `${id} came behind ${this.id}`);
    this.id = id;
    this.entries += 1;
    const [, op, , key = '', , value = ''] = fields;
    if (op === 'set') this.state.set(key, value);
    else this.state.delete(key);
  }
}

function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) * KiB;
}

function storeBytes(store: string): number {
  return readdirSync(store)
    .filter((name) => name.endsWith('.log'))
    .reduce((sum, name) => sum + (statSync(join(store, name), { throwIfNoEntry: false })?.size ?? 0), 0);
}

/** Overwrites the same keys again and again, and deletes some; returns what is left of them. */
async function churn(writer: RawClient): Promise<Map<string, string>> {
  const state = new Map<string, string>();
  for (let round = 0; round < ROUNDS; round++) {
    const commands = Array.from({ length: KEYS }, (_, number): string[] => {
      const key = `key:${number}`;
      if ((round + number) % 10 === 0) {
        state.delete(key);
        return ['DEL', key];
      }
      const value = `${round}-${number}-`.padEnd(VALUE_BYTES, 'v');
      state.set(key, value);
      return ['SET', key, value];
    });
    writer.send(...commands);
    const replies: Plain[] = await writer.replies(commands.length);
    assert.ok(replies.every((reply) => reply === 'OK' || reply === 1 || reply === 0));
  }
  return state;
}

describe('followers', () => {
  it('read master and slave from the beginning, each at its own speed, during writes and compaction, at no cost', () =>
    onLoopback(
      async ({ cluster, client }) => {
        const master = await cluster.master();
        const slave = otherThan(master);
        const before = NODES.map((node) => residentBytes(cluster.agent(node).pid));
        let endSeq = Infinity;
        const followers = [master, slave].flatMap((node) => [
          new Follower(client(node), 10_000, 0),
          new Follower(client(node), 700, 5),
          new Follower(client(node), 100, 40),
        ]);
        const following = followers.map((follower) => follower.until(() => endSeq));
        // These began once, and then have no time: the whole log is their backlog.
        assert.equal(await client(master).ask('SET', 'key:0', 'first'), 'OK');
        const idlers = Array.from({ length: 60 }, (_, number) => client(number % 2 === 0 ? master : slave));
        for (const idler of idlers) await idler.ask('XREAD', 'COUNT', '1', 'BLOCK', '0', 'STREAMS', 'hs:log', '0-0');

        const state = await churn(client(master));
        endSeq = Number(await client(master).ask('XLEN', 'hs:log'));
        const written = ROUNDS * KEYS * VALUE_BYTES;
        for (const node of NODES) {
          const bytes = storeBytes(cluster.store(node));
          assert.ok(bytes < written / 2, `${bytes} bytes on ${node}: it was compacted meanwhile`);
        }
        await Promise.all(following);
        for (const follower of followers) {
          assert.deepEqual(new Map(follower.state), new Map(state));
        }
        const grown = NODES.map((node, index) => residentBytes(cluster.agent(node).pid) - (before[index] ?? 0));
        // One backlog kept in memory for each of them would be fifteen times that.
        assert.ok(Math.max(...grown) < 200 * MiB, `agents have grown by ${grown.join(' and ')} bytes`);
        for (const idler of idlers) assert.equal(await idler.ask('PING'), 'PONG');
      },
      { replication: { segmentSize: '1MiB' } },
    ));

  it('on the slave go on when it becomes master, and on the former master too', () =>
    onLoopback(async ({ cluster, client }) => {
      const master = await cluster.master();
      let endSeq = Infinity;
      const followers = NODES.map((node) => new Follower(client(node), 100, 1));
      const following = followers.map((follower) => follower.until(() => endSeq));
      const first = client(master);
      for (let number = 0; number < 500; number++) assert.equal(await first.ask('SET', `key:${number}`, '1'), 'OK');
      await cluster.hsctl('promote', otherThan(master), '--wait');
      const second = client(otherThan(master));
      for (let number = 250; number < 750; number++) {
        assert.equal(await second.ask('SET', `key:${number}`, '2'), 'OK');
      }
      endSeq = Number(await second.ask('XLEN', 'hs:log'));
      await Promise.all(following);
      const values = Array.from({ length: 750 }, (_, number) => [`key:${number}`, number < 250 ? '1' : '2'] as const);
      for (const { state } of followers) assert.deepEqual(new Map(state), new Map(values));
      await until('both to be whole', async () => (await cluster.whole()).protectedBy.length === 1);
    }));
});
