import assert from 'node:assert/strict';
import { Backoff } from '../../../src/kit/backoff.ts';
import { sleep } from '../../../src/kit/clock.ts';
import type { HsctlError } from '../../../src/kit/errors.ts';
import type { Random } from '../../../src/kit/random.ts';
import type { LogPosition } from '../../../src/model/position.ts';
import type { Role } from '../../../src/model/roles.ts';
import type { Attach, Grant, LeaseTerms, PeerHello, Ping, Refusal } from '../../../src/protocol/link/messages.ts';
import type { MasterOwner } from '../../../src/replication/link/master-owner.ts';
import { MasterSession } from '../../../src/replication/link/master-session.ts';
import type { SlaveOwner } from '../../../src/replication/link/slave-owner.ts';
import { SlaveSession } from '../../../src/replication/link/slave-session.ts';
import type { Pace } from '../../../src/replication/pace/token-bucket.ts';
import { ManualScheduler } from '../../kit/manual-scheduler.ts';
import { LogWriter, MemoryLog } from '../memory-log.ts';
import { LinkPair } from './link-pair.ts';

/** A node as the sessions see it, with what it was told. */
class Node {
  readonly log = new MemoryLog();
  readonly writer = new LogWriter(this.log);
  role: Role = 'waiting';
  epoch = 1;
  renouncedEpoch = 0;
  readonly #name: string;
  readonly hellos: PeerHello[] = [];
  readonly refusals: Refusal[] = [];
  readonly ends: { reason: string; failure: HsctlError | null }[] = [];
  readonly attaches: Attach[] = [];
  readonly releases: number[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  hello(): PeerHello {
    const { end, history, aloneTo } = this.log.state();
    const { role, epoch, renouncedEpoch } = this;
    const versions = { oldest: 1, newest: 1 };
    const names = { cluster: 'realm-7', group: 'world', node: this.#name, instance: `${this.#name}-1` };
    return { type: 'peerHello', versions, ...names, role, epoch, renouncedEpoch, end, history, aloneTo, index: 'none' };
  }

  peerSaid(hello: PeerHello): void {
    this.hellos.push(hello);
    this.epoch = Math.max(this.epoch, hello.epoch);
  }

  heard(): void {}

  released(epoch: number): void {
    this.releases.push(epoch);
  }

  refused(refusal: Refusal): void {
    this.refusals.push(refusal);
  }

  ended(reason: string, failure: HsctlError | null): void {
    this.ends.push({ reason, failure });
  }
}

export class MasterNode extends Node implements MasterOwner {
  session: MasterSession | null = null;
  readonly acks: { epoch: number; seq: number }[] = [];
  readonly grants: Grant[] = [];

  attached(attach: Attach): void {
    this.attaches.push(attach);
  }

  acked(epoch: number, seq: number): void {
    assert.ok(seq <= this.log.end.seq, 'nobody confirms what the master does not have');
    this.acks.push({ epoch, seq });
  }

  granted(grant: Grant): void {
    this.grants.push(grant);
  }

  override ended(reason: string, failure: HsctlError | null): void {
    super.ended(reason, failure);
    this.session = null;
  }

  /** Appends a batch and tells the session, as a master does. */
  write(records: number, valueBytes: number): void {
    const batch = this.writer.write(records, valueBytes);
    this.session?.appended(batch);
  }
}

export class SlaveNode extends Node implements SlaveOwner {
  readonly archives: string[] = [];
  readonly appends: LogPosition[] = [];
  readonly pings: Ping[] = [];
  leaseMs = 0;
  refusal: Refusal | null = null;

  mayFollow(attach: Attach): Refusal | null {
    if (this.refusal !== null) return this.refusal;
    const { aloneTo } = this.log.state();
    if (aloneTo <= attach.fork.seq) return null;
    return { type: 'refusal', code: 'diverged', reason: `records to ${aloneTo} were acknowledged` };
  }

  archived(path: string): void {
    this.archives.push(path);
  }

  repaired(path: string): void {
    this.archives.push(path);
  }

  following(attach: Attach): void {
    this.attaches.push(attach);
  }

  appended(end: LogPosition): void {
    this.appends.push(end);
  }

  pinged(ping: Ping): LeaseTerms {
    this.pings.push(ping);
    return { leaseMs: this.leaseMs, lingerMs: 0 };
  }
}

export interface PairOptions {
  readonly random?: Random;
  readonly delayMs?: number;
  readonly chunkBytes?: number;
  readonly pace?: Pace;
  readonly syncBeforeAck?: boolean;
}

export const UNLIMITED: Pace = { bytesPerSecond: null, intervalMs: 100 };
export const SILENCE_LIMIT_MS = 4000;

/** Two nodes in virtual time: b dials a, again and again. */
export class PairOfNodes {
  readonly scheduler = new ManualScheduler();
  readonly master = new MasterNode('a');
  readonly slave = new SlaveNode('b');
  /** Every link there was, newest last. */
  readonly links: LinkPair[] = [];
  /** The slave's session; null between links. */
  following: SlaveSession | null = null;
  /** Whether a attaches whoever greets it. */
  feeds = true;
  reachable = true;
  readonly #options: Required<PairOptions>;
  readonly #abort = new AbortController();
  #checkedBatches = 0;

  constructor(options: PairOptions = {}) {
    this.#options = {
      random: () => 0.5,
      delayMs: 1,
      chunkBytes: 64 * 1024,
      pace: UNLIMITED,
      syncBeforeAck: false,
      ...options,
    };
    this.master.role = 'master';
    this.slave.role = 'slave';
  }

  /** Lets b dial from now on; resolves once it has stopped. */
  async start(): Promise<void> {
    const { signal } = this.#abort;
    const backoff = new Backoff(20, 1000, this.#options.random);
    while (!signal.aborted) {
      if (this.reachable) {
        this.following = this.#newSlaveSession(this.#dial());
        this.following.start();
        await this.following.done;
        if (this.following.hasFollowed) backoff.reset();
        this.following = null;
      }
      await sleep(this.scheduler, backoff.next(), signal);
    }
  }

  stop(): void {
    this.#abort.abort();
    this.following?.close('this node does not follow any more');
  }

  get link(): LinkPair {
    return this.links.at(-1)!;
  }

  /** Moves time on until the slave has confirmed all that the master has. */
  async untilLevel(limitMs = 600_000): Promise<void> {
    for (let passedMs = 0; passedMs < limitMs; passedMs += 10) {
      if (this.master.session?.ackedSeq === this.master.log.end.seq && this.master.session.epoch !== null) return;
      await this.scheduler.advance(10);
    }
    assert.fail(`not level after ${limitMs} ms: ${JSON.stringify([this.master.ends.at(-1), this.slave.ends.at(-1)])}`);
  }

  /** The one property that everything is about; to be called as the logs grow. */
  checkPrefix(): void {
    const own = this.slave.log.batches;
    const master = this.master.log.batches;
    for (; this.#checkedBatches < own.length; this.#checkedBatches += 1) {
      const batch = master[this.#checkedBatches];
      assert.ok(
        batch !== undefined && Buffer.compare(own[this.#checkedBatches]!, batch) === 0,
        'a prefix of the master',
      );
    }
  }

  #dial(): LinkPair['dialler'] {
    const { random, delayMs, chunkBytes } = this.#options;
    const link = new LinkPair({ scheduler: this.scheduler, random, delayMs, chunkBytes });
    this.links.push(link);
    link.acceptor.onMessage((message) => {
      assert.ok(message.type === 'peerHello');
      this.master.session?.close('replaced by a newer link');
      const session = new MasterSession({
        link: link.acceptor,
        hello: message,
        peer: 'b',
        log: this.master.log,
        pace: this.#options.pace,
        silenceLimitMs: SILENCE_LIMIT_MS,
        scheduler: this.scheduler,
        endOfTurn: (task) => void this.scheduler.after(0, task),
        owner: this.master,
      });
      this.master.session = session;
      session.start();
      if (this.feeds) this.master.session?.attach();
    });
    return link.dialler;
  }

  #newSlaveSession(link: ConstructorParameters<typeof SlaveSession>[0]['link']): SlaveSession {
    return new SlaveSession({
      link,
      peer: 'a',
      log: this.slave.log,
      syncBeforeAck: this.#options.syncBeforeAck,
      silenceLimitMs: SILENCE_LIMIT_MS,
      scheduler: this.scheduler,
      endOfTurn: (task) => void this.scheduler.after(0, task),
      owner: this.slave,
    });
  }
}

/** A pair whose slave dials already. */
export function startedPair(options: PairOptions = {}): PairOfNodes {
  const pair = new PairOfNodes(options);
  void pair.start();
  return pair;
}

/** A pair whose slave already holds what its master holds. */
export async function levelPair(options: PairOptions = {}): Promise<PairOfNodes> {
  const pair = startedPair(options);
  pair.master.writer.reign(1);
  pair.master.write(10, 100);
  await pair.untilLevel();
  return pair;
}
