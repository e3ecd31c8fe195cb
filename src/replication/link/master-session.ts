import type { Scheduler } from '../../kit/clock.ts';
import { HsctlError, messageOf } from '../../kit/errors.ts';
import type { LogPosition } from '../../model/position.ts';
import type { Attach, LinkMessage, PeerHello, Ping, Refusal } from '../../protocol/link/messages.ts';
import type { LinkConnection } from '../../transport/link-connection.ts';
import type { Log } from '../log/log.ts';
import type { Pace } from '../pace/token-bucket.ts';
import { type AttachPlan, planAttach } from './attach-plan.ts';
import { greetingRefusal } from './greeting.ts';
import { type CatchUp, LogFeed } from './log-feed.ts';
import type { MasterOwner } from './master-owner.ts';
import { SilenceWatch } from './silence-watch.ts';

export interface MasterSessionOptions {
  readonly link: LinkConnection;
  /** The first message of the link, as `listenForLinks` hands it over. */
  readonly hello: PeerHello;
  /** Name of the node that may be there. */
  readonly peer: string;
  readonly log: Log;
  readonly pace: Pace;
  /** The link is closed when nothing was heard for about so long. */
  readonly silenceLimitMs: number;
  readonly scheduler: Scheduler;
  /** Runs a task when everything that has arrived by now has been taken: `setImmediate`, or the simulator's. */
  readonly endOfTurn: (task: () => void) => void;
  readonly owner: MasterOwner;
}

/**
 * The accepting end of a replication link. It answers the peer's greetings; once this node is master, `attach` tells
 * the peer where the logs part, and when the peer has cut its log and confirmed that, feeds it from there on.
 */
export class MasterSession {
  readonly #options: MasterSessionOptions;
  readonly #link: LinkConnection;
  readonly #owner: MasterOwner;
  readonly #silence: SilenceWatch;
  #peerHello: PeerHello;
  #attach: Attach | null = null;
  #feed: LogFeed | null = null;
  #ackedSeq = 0;
  /** The slave is level once it has confirmed this much; null while the feed has not caught up yet. */
  #levelSeq: number | null = null;
  #ended = false;

  constructor(options: MasterSessionOptions) {
    this.#options = options;
    this.#link = options.link;
    this.#owner = options.owner;
    this.#peerHello = options.hello;
    this.#silence = new SilenceWatch(options.scheduler, options.silenceLimitMs, (limitMs) => {
      this.close(`node ${options.peer} was silent for ${limitMs} ms`);
    });
  }

  /** Answers the greeting, or refuses it. */
  start(): void {
    this.#link.onClose((reason) => this.#end(reason, null));
    this.#greet(this.#peerHello);
    if (!this.#ended) this.#link.onMessage((message) => this.#take(message));
  }

  /** To be called while this node is master and takes followers, as often as it likes. */
  attach(): void {
    if (this.#attach !== null || this.#ended) return;
    const hello = this.#owner.hello();
    let plan: AttachPlan;
    try {
      plan = planAttach(this.#options.log, this.#peerHello, hello.epoch);
    } catch (thrown) {
      return this.#fail(thrown);
    }
    if ('conflict' in plan) return this.#refuse({ type: 'refusal', code: 'diverged', reason: plan.conflict });
    this.#attach = plan.attach;
    this.#link.send(hello);
    this.#link.send(plan.attach);
  }

  /** A batch was appended to the log just now. Whether its bytes are needed when this returns, and must not change. */
  appended(batch: Uint8Array): boolean {
    return this.#feed?.appended(batch) ?? false;
  }

  /** The heartbeat, and news of what is confirmed. Says nothing before the slave was told where to follow. */
  ping(ping: Ping): void {
    if (this.#attach !== null) this.#link.send(ping);
  }

  /** Tells the peer that this node gave up every epoch up to this one. */
  release(renouncedEpoch: number): void {
    this.#link.send({ type: 'release', renouncedEpoch });
  }

  /** How long the peer may be silent, from now on. */
  setSilenceLimit(limitMs: number): void {
    if (!this.#ended) this.#silence.setLimit(limitMs);
  }

  /** Changes the pace of a catch-up under way. */
  setPace(pace: Pace): void {
    this.#feed?.setPace(pace);
  }

  /** Epoch under which the slave follows; null if it does not, or not yet. */
  get epoch(): number | null {
    return this.#feed === null ? null : (this.#attach?.epoch ?? null);
  }

  /** The peer's log end: what it has confirmed, or said at first. Hash 0 where it lags behind. */
  get peerEnd(): LogPosition {
    if (this.#feed === null) return this.#peerHello.end;
    const { end, history } = this.#options.log.state();
    if (this.#ackedSeq === end.seq) return end;
    const epoch = history.findLast((reign) => reign.firstSeq <= this.#ackedSeq)?.epoch ?? 0;
    return { epoch, seq: this.#ackedSeq, hash: 0 };
  }

  get ackedSeq(): number {
    return this.#ackedSeq;
  }

  /** About how many bytes of log the slave still lacks or has not confirmed; null before it follows. */
  get lagBytes(): number | null {
    return this.#feed === null ? null : Math.max(0, Math.round(this.#options.log.bytesAfter(this.#ackedSeq)));
  }

  /** Whether at some moment since it follows the slave has confirmed all that there was. */
  get isLevel(): boolean {
    return this.#levelSeq !== null && this.#ackedSeq >= this.#levelSeq;
  }

  /** Progress while the slave is fed from the log's files; null while it is not. */
  catchUp(): CatchUp | null {
    return this.#feed?.catchUp() ?? null;
  }

  close(reason: string): void {
    this.#link.close(reason);
    this.#end(reason, null);
  }

  #end(reason: string, failure: HsctlError | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#silence.stop();
    this.#feed?.stop();
    this.#owner.ended(reason, failure);
  }

  #take(message: LinkMessage): void {
    if (this.#ended) return;
    this.#silence.heard();
    if (message.type === 'peerHello') return this.#greet(message);
    this.#owner.heard();
    switch (message.type) {
      case 'ack':
        return this.#acked(message.epoch, message.seq);
      case 'grant':
        return this.#owner.granted(message);
      case 'release':
        return this.#owner.released(message.renouncedEpoch);
      case 'refusal':
        this.#owner.refused(message);
        return this.close(`refused by node ${this.#options.peer}: ${message.reason}`);
      case 'hello':
      case 'report':
      case 'beat':
      case 'assign':
      case 'reload':
      case 'reloaded':
      case 'attach':
      case 'segment':
      case 'hint':
      case 'batch':
      case 'ping':
        return this.close(`node ${this.#options.peer} sent ${message.type}, which only a master sends`);
    }
  }

  /** The first greeting, or one repeated by a peer that waits to be attached. */
  #greet(hello: PeerHello): void {
    const refusal = greetingRefusal(this.#owner.hello(), hello, this.#options.peer);
    if (refusal !== null) return this.#refuse(refusal);
    this.#peerHello = hello;
    this.#owner.peerSaid(hello);
    if (this.#attach === null && !this.#ended) this.#link.send(this.#owner.hello());
  }

  #acked(epoch: number, seq: number): void {
    const attach = this.#attach;
    if (attach === null || epoch !== attach.epoch)
      return this.close(`confirmation for epoch ${epoch}, which is not attached`);
    if (this.#feed === null) return this.#begin(attach, seq);
    if (seq < this.#ackedSeq || seq > this.#feed.takenSeq) {
      return this.close(`confirmation of record ${seq}, sent are ${this.#ackedSeq} to ${this.#feed.takenSeq}`);
    }
    this.#ackedSeq = seq;
    this.#owner.acked(epoch, seq);
  }

  /** The slave is where it should be: feed it. */
  #begin(attach: Attach, seq: number): void {
    const fromSeq = attach.fromNothing ? 0 : attach.fork.seq;
    if (seq !== fromSeq) return this.close(`first confirmation is of record ${seq} instead of ${fromSeq}`);
    this.#ackedSeq = seq;
    const { link, log, pace, scheduler, endOfTurn } = this.#options;
    const onFailure = (thrown: unknown): void => this.#fail(thrown);
    const onLive = (): void => void (this.#levelSeq = log.end.seq);
    // A slave that started from nothing took over our index key with the attachment.
    const ships = attach.index !== null || this.#peerHello.index === log.indexKey.store;
    this.#feed = new LogFeed({ link, log, ships, pace, scheduler, endOfTurn, onFailure, onLive }, fromSeq);
    this.#owner.attached(attach);
    this.#owner.acked(attach.epoch, seq);
  }

  /** The log cannot be read. */
  #fail(thrown: unknown): void {
    const failure =
      thrown instanceof HsctlError ? thrown : new HsctlError('disk', messageOf(thrown), '', { cause: thrown });
    this.#link.close(failure.message);
    this.#end(failure.message, failure);
  }

  #refuse(refusal: Refusal): void {
    this.#link.send(refusal);
    this.#owner.refused(refusal);
    this.close(refusal.reason);
  }
}
