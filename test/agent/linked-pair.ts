import assert from 'node:assert/strict';
import { PeerLinks } from '../../src/agent/peer-links.ts';
import { silentLogger } from '../../src/kit/logger.ts';
import type { Assignment } from '../../src/model/assignment.ts';
import type { LinkConnection } from '../../src/transport/link-connection.ts';
import { ManualScheduler } from '../kit/manual-scheduler.ts';
import { LinkPair } from '../replication/link/link-pair.ts';
import { NodeHarness } from './node-harness.ts';

const DELAY_MS = 1;

/** Two real agents in virtual time whose replication links are real frames in memory; the test is the controller. */
export class LinkedPair {
  readonly scheduler = new ManualScheduler();
  readonly a: NodeHarness;
  readonly b: NodeHarness;
  /** Every link there was, newest last. */
  readonly links: LinkPair[] = [];
  reachable = true;
  readonly #aborts = { a: new AbortController(), b: new AbortController() };
  readonly #ends: (() => void)[] = [];

  constructor() {
    this.a = new NodeHarness({ node: 'a', peer: 'b' }, false, this.scheduler);
    this.b = new NodeHarness({ node: 'b', peer: 'a' }, false, this.scheduler);
    this.a.links = this.#makeLinks(this.a, () => this.b);
    this.b.links = this.#makeLinks(this.b, () => this.a);
    for (const name of ['a', 'b'] as const) {
      void this[name].links?.run(this.#aborts[name].signal);
      this.#ends.push(this[name].node.start());
    }
  }

  #makeLinks(harness: NodeHarness, peer: () => NodeHarness): PeerLinks {
    const { scheduler } = this;
    const random = (): number => 0.5;
    return new PeerLinks({
      identity: {
        cluster: 'realm-7',
        group: 'world',
        node: harness.settings.node,
        instance: `${harness.settings.node}-1`,
      },
      node: harness.node,
      log: harness.log,
      settings: harness.settings,
      pace: { bytesPerSecond: null, intervalMs: 100 },
      syncsAlways: false,
      dial: () => this.#dial(peer()),
      endOfTurn: (task) => void scheduler.after(0, task),
      scheduler,
      random,
      logger: silentLogger,
    });
  }

  #dial(to: NodeHarness): Promise<LinkConnection> {
    if (!this.reachable) return Promise.reject(new Error('no route'));
    const link = new LinkPair({ scheduler: this.scheduler, random: () => 0.5, delayMs: DELAY_MS, chunkBytes: 65_536 });
    this.links.push(link);
    link.acceptor.onMessage((message) => {
      assert.ok(message.type === 'peerHello', 'whoever dials greets first');
      to.links?.accept(link.acceptor, message);
    });
    return Promise.resolve(link.dialler);
  }

  /** The controller's word to both: `master` owns the epoch. */
  reign(master: 'a' | 'b', epoch: number, change: Partial<Assignment> = {}): void {
    for (const harness of [this.a, this.b]) {
      const role = harness.settings.node === master ? 'master' : 'slave';
      harness.assign({ role, epoch, ...change });
    }
  }

  async pass(byMs: number): Promise<void> {
    await this.scheduler.advance(byMs);
  }

  /** No link passes anything any more, nor can one be had. */
  part(): void {
    this.reachable = false;
    for (const link of this.links) link.cut();
  }

  /** The links of one agent end, as when it is stopped. */
  endLinks(of: 'a' | 'b'): void {
    this.#aborts[of].abort();
  }

  stop(): void {
    this.endLinks('a');
    this.endLinks('b');
    for (const end of this.#ends) end();
  }

  /** A pair that has come together: a serves under epoch 1, b follows. */
  static async serving(): Promise<LinkedPair> {
    const pair = new LinkedPair();
    pair.reign('a', 1);
    pair.a.grant();
    await pair.pass(100);
    pair.a.appUp(1);
    assert.equal(pair.b.log.end.seq, pair.a.log.end.seq);
    return pair;
  }
}
