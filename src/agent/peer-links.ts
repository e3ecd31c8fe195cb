import { Backoff } from '../kit/backoff.ts';
import { sleep, type Scheduler, type Timer } from '../kit/clock.ts';
import { messageOf, type HsctlError } from '../kit/errors.ts';
import type { Logger } from '../kit/logger.ts';
import type { Random } from '../kit/random.ts';
import type { Service } from '../kit/service.ts';
import type { AgentReport } from '../model/agent-report.ts';
import {
  LINK_VERSIONS,
  type Attach,
  type Hello,
  type PeerHello,
  type Ping,
  type Refusal,
  type Release,
} from '../protocol/link/messages.ts';
import { MasterSession } from '../replication/link/master-session.ts';
import type { SlaveOwner } from '../replication/link/slave-owner.ts';
import { SlaveSession } from '../replication/link/slave-session.ts';
import type { Log } from '../replication/log/log.ts';
import type { Pace } from '../replication/pace/token-bucket.ts';
import type { LinkConnection } from '../transport/link-connection.ts';
import type { AgentNode } from './agent-node.ts';
import type { AgentSettings } from './core/agent-ports.ts';
import type { Posture } from './core/posture.ts';

/**
 * The replication links of a node: it dials its peer while it follows it (or looks for its role), and takes the peer's
 * link while it is master. Knows no sockets: links come from `dial` and `accept`.
 */
export interface PeerLinksOptions {
  readonly identity: {
    readonly cluster: string;
    readonly group: string;
    readonly node: string;
    readonly instance: string;
  };
  readonly node: AgentNode;
  readonly log: Log;
  readonly settings: AgentSettings;
  readonly pace: Pace;
  readonly syncsAlways: boolean;
  dial(signal: AbortSignal): Promise<LinkConnection>;
  /** Runs a task at the end of this turn of the event loop. */
  endOfTurn(task: () => void): void;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
}

const FIRST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 500;
/** A link that was dialled before it was needed. */
interface SpareLink {
  readonly link: Promise<LinkConnection | null>;
  readonly calledOff: AbortController;
}

/** The slave is told at most this late what was confirmed, for the followers that read from it. */
const NEWS_MS = 5;

export class PeerLinks implements Service {
  readonly #options: PeerLinksOptions;
  #master: MasterSession | null = null;
  #slave: SlaveSession | null = null;
  #wanted: Posture | null = null;
  /** Aborts the dialling and the slave session when this node no longer wants them. */
  #dialling: AbortController | null = null;
  /** Settles when no earlier dialling is at work any more. */
  #dialled: Promise<void> = Promise.resolve();
  /** For the role that this node will have in a moment: it quiesces, so the peer is about to be its master. */
  #spare: SpareLink | null = null;
  #logIsFree = true;
  #stopped = false;
  #news: Timer | null = null;
  #toldSeq = 0;
  #pace: Pace;

  constructor(options: PeerLinksOptions) {
    this.#options = options;
    this.#pace = options.pace;
  }

  /** Runs until `signal` aborts; the dialling itself follows `update`. */
  async run(signal: AbortSignal): Promise<void> {
    const unsubscribe = this.#options.node.replica.onConfirmed(() => this.#tellConfirmed());
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    unsubscribe();
    this.#stopped = true;
    this.#news?.cancel();
    this.#slave?.leave('the agent stops');
    this.#stopDialling('the agent stops');
    this.#dropSpare();
    this.#master?.close('the agent stops');
  }

  /** Does what the posture says: cheap to call, and safe to repeat. */
  update(posture: Posture): void {
    this.#wanted = posture;
    if (posture.dialPeer && !this.#stopped) this.#startDialling();
    else this.#stopDialling('this node takes no part as a slave');
    if (posture.quiesce && !this.#stopped) this.#dialSpare();
    else if (!posture.dialPeer) this.#dropSpare();
    const master = this.#master;
    if (master === null) return;
    if (master.epoch !== null && master.epoch !== posture.epoch) master.close(`epoch ${posture.epoch} began`);
    else if (posture.feeds) master.attach();
  }

  /** A link whose other end has greeted. The newest one counts: the peer has only one. */
  accept(link: LinkConnection, hello: Hello | PeerHello): void {
    if (hello.type !== 'peerHello' || this.#stopped) return link.close('this is a replication port');
    this.#master?.close('the peer came back on another link');
    const { settings, log, scheduler, node } = this.#options;
    let session: MasterSession | null = null;
    const isPresent = (): boolean => this.#master === session;
    session = new MasterSession({
      link,
      hello,
      peer: settings.peer,
      log,
      pace: this.#pace,
      silenceLimitMs: this.#silenceLimitMs,
      scheduler,
      endOfTurn: (task) => this.#options.endOfTurn(task),
      owner: {
        hello: () => this.#hello(),
        peerSaid: (said) => node.act(() => node.core.onPeerHello(said)),
        heard: () => node.core.onPeerHeard(),
        attached: () => node.act(() => node.core.onSlaveAttached()),
        acked: (epoch, seq) => node.onAck(epoch, seq),
        granted: (grant) => node.act(() => node.core.onPeerGrant(grant)),
        released: (renouncedEpoch) => node.act(() => node.core.onPeerRelease(renouncedEpoch)),
        refused: (refusal) => this.#refused(refusal),
        ended: (reason, failure) => {
          if (isPresent()) this.#master = null;
          this.#ended(reason, failure);
        },
      },
    });
    this.#master = session;
    session.start();
    if (this.#wanted?.feeds) session.attach();
  }

  sendToSlave(message: Ping | Release): void {
    if (message.type === 'ping') {
      this.#toldSeq = message.confirmedSeq;
      this.#master?.ping(message);
      return;
    }
    // Whichever way the link was dialled, the peer is behind it.
    this.#master?.release(message.renouncedEpoch);
    this.#slave?.release(message.renouncedEpoch);
  }

  /** The settings have changed: a session under way goes by them too. */
  reconfigured(): void {
    this.#master?.setSilenceLimit(this.#silenceLimitMs);
    this.#slave?.setSilenceLimit(this.#silenceLimitMs);
  }

  get #silenceLimitMs(): number {
    return 2 * this.#options.settings.detectMs;
  }

  /** Whether no session is at work on the log. */
  get logIsFree(): boolean {
    return this.#logIsFree;
  }

  get pace(): Pace {
    return this.#pace;
  }

  /** Changes the pace of catch-ups, also of one under way. */
  setPace(pace: Pace): void {
    this.#pace = pace;
    this.#master?.setPace(pace);
  }

  /** Whether the bytes are needed when this returns. */
  batchMade(batch: Uint8Array): boolean {
    return this.#master?.appended(batch) ?? false;
  }

  facts(): Pick<AgentReport['peer'], 'end' | 'lagBytes' | 'catchUp'> {
    const end = this.#master?.peerEnd ?? null;
    return {
      end: end === null ? null : { ...end },
      lagBytes: this.#master?.lagBytes ?? null,
      catchUp: this.#master?.catchUp() ?? this.#slave?.catchUp() ?? null,
    };
  }

  // --- dialling

  #startDialling(): void {
    if (this.#dialling !== null) return;
    this.#dialling = new AbortController();
    // The last session may still be cutting the log: two must never work on it.
    const { signal } = this.#dialling;
    this.#dialled = this.#dialled.then(() => this.#dialLoop(signal));
  }

  #stopDialling(reason: string): void {
    if (this.#dialling === null) return;
    this.#dialling.abort();
    this.#dialling = null;
    this.#slave?.close(reason);
    this.#slave = null;
  }

  async #dialLoop(signal: AbortSignal): Promise<void> {
    const { scheduler, random, logger } = this.#options;
    const backoff = new Backoff(FIRST_WAIT_MS, LONGEST_WAIT_MS, random);
    while (!signal.aborted) {
      try {
        const link = (await this.#takeSpare(signal)) ?? (await this.#options.dial(signal));
        if (signal.aborted) {
          link.close('not wanted any more');
          return;
        }
        if (await this.#follow(link)) backoff.reset();
      } catch (error) {
        logger.debug(`cannot reach the peer: ${messageOf(error)}`);
      }
      await sleep(scheduler, backoff.next(), signal);
    }
  }

  /** The handshake takes several times as long as all that a planned change has to wait for otherwise. */
  #dialSpare(): void {
    if (this.#spare !== null) return;
    const calledOff = new AbortController();
    this.#spare = { link: this.#options.dial(calledOff.signal).catch(() => null), calledOff };
  }

  /** Null if there is none, or it cannot be had. */
  async #takeSpare(signal: AbortSignal): Promise<LinkConnection | null> {
    const spare = this.#spare;
    if (spare === null) return null;
    this.#spare = null;
    signal.addEventListener('abort', () => spare.calledOff.abort(), { once: true });
    return spare.link;
  }

  #dropSpare(): void {
    const spare = this.#spare;
    if (spare === null) return;
    this.#spare = null;
    spare.calledOff.abort();
    void spare.link.then((link) => link?.close('not wanted any more'));
  }

  /** Resolves when the session is over and does nothing more to the log: whether it was good for something. */
  async #follow(link: LinkConnection): Promise<boolean> {
    const { settings, log, scheduler, syncsAlways } = this.#options;
    const session = new SlaveSession({
      link,
      peer: settings.peer,
      log,
      syncBeforeAck: syncsAlways,
      silenceLimitMs: this.#silenceLimitMs,
      scheduler,
      endOfTurn: (task) => this.#options.endOfTurn(task),
      owner: this.#slaveOwner(() => {
        if (this.#slave === session) this.#slave = null;
      }),
    });
    this.#slave = session;
    this.#logIsFree = false;
    session.start();
    await session.done;
    this.#logIsFree = true;
    // A reign may be waiting for this.
    this.#options.node.act(() => this.#options.node.core.tick());
    return session.hasFollowed;
  }

  #slaveOwner(onEnded: () => void): SlaveOwner {
    const { node, logger } = this.#options;
    return {
      get epoch() {
        return node.core.epoch;
      },
      hello: () => this.#hello(),
      peerSaid: (said) => node.act(() => node.core.onPeerHello(said)),
      heard: () => node.core.onPeerHeard(),
      mayFollow: (attach) => this.#mayFollow(attach),
      archived: (path) => node.onArchived(path),
      repaired: (path) => node.onRepaired(path),
      following: (attach) => {
        logger.info('following the master', { epoch: attach.epoch, from: attach.fork.seq, to: attach.end.seq });
        node.onFollowing();
      },
      appended: () => node.onFollowed(),
      pinged: (ping) => node.onPing(ping),
      released: (renouncedEpoch) => node.act(() => node.core.onPeerRelease(renouncedEpoch)),
      refused: (refusal) => this.#refused(refusal),
      ended: (reason, failure) => {
        onEnded();
        this.#ended(reason, failure);
      },
    };
  }

  // --- what the sessions ask

  #hello(): PeerHello {
    const { identity, node, log } = this.#options;
    const { end, history, aloneTo } = log.state();
    const { role, epoch, renouncedEpoch } = node.core;
    return {
      type: 'peerHello',
      versions: LINK_VERSIONS,
      ...identity,
      role,
      epoch,
      renouncedEpoch,
      end,
      history,
      aloneTo,
      index: log.indexKey.store,
    };
  }

  /** Never cuts what may have been acknowledged, unless an operator gave it up. */
  #mayFollow(attach: Attach): Refusal | null {
    const { node, log } = this.#options;
    if (node.core.role !== 'slave') {
      return { type: 'refusal', code: 'busy', reason: `this node is ${node.core.role}, it follows nobody` };
    }
    const { end, aloneTo } = log.state();
    const sharedSeq = attach.fork.seq;
    // A log that could not even be opened tells nothing of itself.
    const untold = log.damage !== null && end.seq === 0 && log.memory.confirmedAlone;
    // Its mark in the log may have been lost with the machine's power; what stands beside the log was not.
    const aloneEnd = log.memory.confirmedAlone ? end.seq : aloneTo;
    if ((aloneEnd <= sharedSeq && !untold) || node.core.assignment?.mayDiscard) return null;
    node.onDiverged({
      ownEnd: { ...end },
      peerEnd: { ...attach.end },
      forkSeq: sharedSeq,
      acknowledgedFrom: sharedSeq + 1,
    });
    if (untold) {
      const reason = 'this node acknowledged records alone, and they cannot be read any more: its store is damaged';
      return { type: 'refusal', code: 'diverged', reason };
    }
    const reason = `records ${sharedSeq + 1} to ${aloneEnd} were acknowledged here and are not in the master's log`;
    return { type: 'refusal', code: 'diverged', reason };
  }

  #refused(refusal: Refusal): void {
    const { node, logger } = this.#options;
    if (refusal.code === 'leaving') {
      logger.info(`the slave leaves: ${refusal.reason}`);
      return node.act(() => node.core.onSlaveLeft());
    }
    if (refusal.code === 'busy' || refusal.code === 'epoch') logger.debug(refusal.reason);
    else logger.warn(`the peers do not agree: ${refusal.reason}`, { code: refusal.code });
  }

  #ended(reason: string, failure: HsctlError | null): void {
    const { node, logger } = this.#options;
    logger.debug(`replication link closed: ${reason}`);
    if (failure !== null) return node.onDiskFailure(failure);
    if (this.#master === null && this.#slave === null) node.act(() => node.core.onPeerLost());
  }

  /** More was confirmed: the slave's own followers wait for that word. */
  #tellConfirmed(): void {
    if (this.#news !== null || this.#master === null) return;
    this.#news = this.#options.scheduler.after(NEWS_MS, () => {
      this.#news = null;
      const { core } = this.#options.node;
      if (core.confirmedSeq > this.#toldSeq && core.reignEpoch !== null) this.sendToSlave(core.ping());
    });
  }
}
