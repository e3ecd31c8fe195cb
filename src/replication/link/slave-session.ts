import type { Scheduler, Timer } from '../../kit/clock.ts';
import { HsctlError } from '../../kit/errors.ts';
import type { BatchHeader } from '../../protocol/batch/batch-header.ts';
import type {
  Attach,
  HintMessage,
  LinkMessage,
  PeerHello,
  Ping,
  Refusal,
  SegmentMessage,
} from '../../protocol/link/messages.ts';
import type { LinkConnection } from '../../transport/link-connection.ts';
import type { Log } from '../log/log.ts';
import { RateMeter } from '../pace/rate-meter.ts';
import { AckSender } from './ack-sender.ts';
import { type CutPlan, planCut } from './attach-plan.ts';
import { BatchAssembler } from './batch-assembler.ts';
import { carryOutCut } from './carry-out-cut.ts';
import { greetingRefusal } from './greeting.ts';
import { IntactWatch } from './intact-watch.ts';
import type { CatchUp } from './log-feed.ts';
import { SegmentReceiver } from './segment-receiver.ts';
import { SilenceWatch } from './silence-watch.ts';
import type { SlaveOwner } from './slave-owner.ts';

export interface SlaveSessionOptions {
  readonly link: LinkConnection;
  /** Name of the node that should be there. */
  readonly peer: string;
  readonly log: Log;
  /** Confirm only what is on stable storage. */
  readonly syncBeforeAck: boolean;
  /** The link is closed when nothing was heard for about so long. */
  readonly silenceLimitMs: number;
  readonly scheduler: Scheduler;
  /** Runs a task when everything that has arrived by now has been taken: `setImmediate`, or the simulator's. */
  readonly endOfTurn: (task: () => void) => void;
  readonly owner: SlaveOwner;
}

/**
 * The dialling end of a replication link. It greets, and greets again from time to time, until the peer (who may become
 * master only later) says where the logs part; then it cuts its log there, if its owner agrees, and appends what
 * comes, confirming once a turn.
 */
export class SlaveSession {
  readonly #options: SlaveSessionOptions;
  readonly #link: LinkConnection;
  readonly #log: Log;
  readonly #owner: SlaveOwner;
  readonly #silence: SilenceWatch;
  readonly #greeter: Timer;
  readonly #acks: AckSender;
  readonly #assembler = new BatchAssembler();
  readonly #segments: SegmentReceiver;
  readonly #rate: RateMeter;
  #greeted = false;
  #attach: Attach | null = null;
  #following = false;
  #hasFollowed = false;
  #intact: IntactWatch | null = null;
  /** The log is being cut, or settled: the session is not done before that is. */
  #busy = false;
  #receivedBytes = 0;
  #ended = false;
  readonly #done = Promise.withResolvers<void>();

  constructor(options: SlaveSessionOptions) {
    this.#options = options;
    this.#link = options.link;
    this.#log = options.log;
    this.#owner = options.owner;
    const { scheduler, silenceLimitMs, peer } = options;
    this.#rate = new RateMeter(scheduler.monotonicMs());
    this.#silence = new SilenceWatch(scheduler, silenceLimitMs, (limitMs) => {
      this.close(`node ${peer} was silent for ${limitMs} ms`);
    });
    this.#acks = new AckSender({
      log: options.log,
      syncBeforeAck: options.syncBeforeAck,
      endOfTurn: options.endOfTurn,
      onTurn: this.#atEndOfTurn,
      send: this.#sendAck,
      onFailure: this.#fail,
    });
    this.#segments = new SegmentReceiver({
      link: options.link,
      log: options.log,
      onAppended: () => this.#acks.appended(),
      onFailure: this.#fail,
    });
    this.#greeter = scheduler.every(silenceLimitMs / 4, () => {
      if (this.#attach === null) this.#link.send(this.#owner.hello());
    });
  }

  /** Greets the peer. */
  start(): void {
    this.#link.onClose((reason) => this.#end(reason, null));
    this.#link.send(this.#owner.hello());
    this.#link.onMessage((message) => this.#take(message));
  }

  /** Resolves when the session is over and does nothing more to the log. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** Tells the peer that this node gave up every epoch up to this one. */
  release(renouncedEpoch: number): void {
    this.#link.send({ type: 'release', renouncedEpoch });
  }

  /** Ends for good, so that the master need not find out by waiting. */
  leave(reason: string): void {
    this.#link.send({ type: 'refusal', code: 'leaving', reason });
    this.close(reason);
  }

  /** How long the peer may be silent, from now on. */
  setSilenceLimit(limitMs: number): void {
    if (!this.#ended) this.#silence.setLimit(limitMs);
  }

  /** Whether batches are taken. */
  get isFollowing(): boolean {
    return this.#following;
  }

  /** Whether they ever were: the link was good for something. */
  get hasFollowed(): boolean {
    return this.#hasFollowed;
  }

  /** Progress until this log has all that the master's had when it attached; null when it has, or does not follow. */
  catchUp(): CatchUp | null {
    const attach = this.#attach;
    if (!this.#following || attach === null || this.#log.end.seq >= attach.end.seq) return null;
    const bytesPerSecond = this.#rate.bytesPerSecond(this.#options.scheduler.monotonicMs());
    return {
      doneBytes: this.#receivedBytes,
      totalBytes: Math.max(attach.catchUpBytes, this.#receivedBytes),
      bytesPerSecond,
    };
  }

  close(reason: string): void {
    this.#link.close(reason);
    this.#end(reason, null);
  }

  #end(reason: string, failure: HsctlError | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#following = false;
    this.#silence.stop();
    this.#acks.stop();
    this.#segments.stop();
    this.#greeter.cancel();
    this.#owner.ended(reason, failure);
    if (!this.#busy) void this.#leaveSettled();
  }

  /** Whoever goes on with the log finds it settled, unless it has failed. */
  async #leaveSettled(): Promise<void> {
    try {
      if (!this.#log.isSettled && this.#log.failure === null) await this.#log.settle();
    } catch (thrown) {
      if (!(thrown instanceof HsctlError)) throw thrown;
    } finally {
      this.#done.resolve();
    }
  }

  #refuse(refusal: Refusal): void {
    // The greeting tells a master of a lower epoch that it was replaced.
    if (refusal.code === 'epoch') this.#link.send(this.#owner.hello());
    this.#link.send(refusal);
    this.#owner.refused(refusal);
    this.close(refusal.reason);
  }

  #refuseEpoch(epoch: number): void {
    const reason = `epoch ${epoch} is over: this node has seen epoch ${this.#owner.epoch}`;
    this.#refuse({ type: 'refusal', code: 'epoch', reason });
  }

  #take(message: LinkMessage): void {
    if (this.#ended) return;
    this.#silence.heard();
    if (message.type === 'peerHello') return this.#greetedBy(message);
    this.#owner.heard();
    switch (message.type) {
      case 'batch':
        return this.#takeBatches(message.bytes);
      case 'segment':
      case 'hint':
        return this.#takeSegment(message);
      case 'ping':
        return this.#answer(message);
      case 'attach':
        return this.#takeAttach(message);
      case 'release':
        return this.#owner.released(message.renouncedEpoch);
      case 'refusal':
        this.#owner.refused(message);
        return this.close(`refused by node ${this.#options.peer}: ${message.reason}`);
      case 'hello':
      case 'report':
      case 'beat':
      case 'grant':
      case 'assign':
      case 'reload':
      case 'reloaded':
      case 'ack':
        return this.close(`node ${this.#options.peer} sent ${message.type}, which a master never sends`);
    }
  }

  #greetedBy(hello: PeerHello): void {
    const refusal = greetingRefusal(this.#owner.hello(), hello, this.#options.peer);
    if (refusal !== null) return this.#refuse(refusal);
    this.#greeted = true;
    this.#owner.peerSaid(hello);
  }

  #answer(ping: Ping): void {
    if (ping.epoch < this.#owner.epoch) return this.#refuseEpoch(ping.epoch);
    if (!this.#orFail(() => this.#intact?.confirmed(ping.confirmedSeq))) return;
    const terms = this.#owner.pinged(ping);
    this.#link.send({ type: 'grant', echoedSentAtMs: ping.sentAtMs, epoch: ping.epoch, ...terms });
  }

  #takeAttach(attach: Attach): void {
    if (!this.#greeted || this.#attach !== null) return this.close('the peer attached at the wrong time');
    if (attach.epoch < this.#owner.epoch) return this.#refuseEpoch(attach.epoch);
    if (attach.epoch > this.#owner.epoch) return this.close(`the peer attached under epoch ${attach.epoch} unheard of`);
    let plan: CutPlan;
    try {
      plan = planCut(this.#log, attach);
    } catch (thrown) {
      return this.#fail(thrown);
    }
    if (plan.kind === 'conflict') return this.#refuse({ type: 'refusal', code: 'diverged', reason: plan.reason });
    const refusal = this.#owner.mayFollow(attach);
    if (refusal !== null) return this.#refuse(refusal);
    this.#attach = attach;
    void this.#cutAndFollow(attach, plan);
  }

  async #cutAndFollow(attach: Attach, plan: Exclude<CutPlan, { kind: 'conflict' }>): Promise<void> {
    this.#busy = true;
    try {
      const ready = await this.#carryOut(plan);
      if (this.#options.syncBeforeAck) await this.#log.sync();
      if (this.#ended) return;
      if (ready) this.#follow(attach);
      else this.close('the log had to start from nothing: greeting anew');
    } catch (thrown) {
      this.#fail(thrown);
    } finally {
      this.#busy = false;
      if (this.#ended) void this.#leaveSettled();
    }
  }

  async #carryOut(plan: Exclude<CutPlan, { kind: 'conflict' }>): Promise<boolean> {
    if (plan.kind !== 'repair') return carryOutCut(this.#log, plan, (path) => this.#owner.archived(path));
    this.#owner.repaired(await this.#log.repair());
    return false;
  }

  #follow(attach: Attach): void {
    if (attach.epoch !== this.#owner.epoch) return this.#refuseEpoch(attach.epoch);
    if (attach.index !== null && this.#log.end.seq === 0) {
      const { name, secret, keys } = attach.index;
      this.#log.takeIndexKey({ store: name, key: secret }, keys);
    }
    this.#intact = new IntactWatch(this.#log, attach.end.seq);
    this.#following = true;
    this.#hasFollowed = true;
    this.#owner.following(attach);
    this.#intact.look();
    this.#sendAck(this.#log.end.seq);
  }

  /** Whether log may be taken at this moment; if not, the session is over. */
  #takesLog(): boolean {
    const attach = this.#attach;
    if (!this.#following || attach === null) this.close('batches came before this node follows');
    else if (attach.epoch !== this.#owner.epoch) this.#refuseEpoch(attach.epoch);
    return !this.#ended;
  }

  #takeSegment(message: SegmentMessage | HintMessage): void {
    if (!this.#takesLog()) return;
    this.#orFail(() => this.#segments.take(message));
  }

  #takeBatches(bytes: Uint8Array): void {
    if (!this.#takesLog()) return;
    this.#receivedBytes += bytes.length;
    this.#rate.add(bytes.length, this.#options.scheduler.monotonicMs());
    if (this.#segments.isWithinHint) return this.#fail(new HsctlError('format', 'a batch came within a hint file'));
    if (this.#log.isSettled || this.#log.isExpecting) return this.#push(bytes);
    void this.#pushOnceSettled(bytes.slice());
  }

  /** What is not of a segment that came whole waits until such segments are found by key. */
  async #pushOnceSettled(bytes: Uint8Array): Promise<void> {
    this.#busy = true;
    this.#link.pause();
    try {
      await this.#log.settle();
    } catch (thrown) {
      this.#fail(thrown);
    } finally {
      this.#busy = false;
      if (this.#ended) void this.#leaveSettled();
    }
    if (this.#ended) return;
    this.#push(bytes);
    this.#link.resume();
  }

  #push(bytes: Uint8Array): void {
    if (this.#orFail(() => this.#assembler.push(bytes, this.#append))) this.#segments.appended();
  }

  /** Whether it could be done; if not, the session is over. */
  #orFail(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (thrown) {
      this.#fail(thrown);
      return false;
    }
  }

  readonly #append = (batch: Uint8Array, header: BatchHeader): void => {
    const epoch = this.#attach?.epoch ?? 0;
    if (header.epoch > epoch)
      throw new HsctlError('format', `a batch of epoch ${header.epoch} came under epoch ${epoch}`);
    this.#log.append(batch);
    if (header.sparse) this.#intact?.sparse();
  };

  readonly #atEndOfTurn = (): void => {
    this.#owner.appended(this.#log.end);
    this.#orFail(() => this.#intact?.look());
  };

  /** Confirms under the epoch of the attachment, and never once a higher one was seen. */
  readonly #sendAck = (seq: number): void => {
    const epoch = this.#attach?.epoch ?? 0;
    if (epoch === this.#owner.epoch) this.#link.send({ type: 'ack', epoch, seq });
    else this.#refuseEpoch(epoch);
  };

  readonly #fail = (thrown: unknown): void => {
    if (!(thrown instanceof HsctlError)) throw thrown;
    this.#link.close(thrown.message);
    this.#end(thrown.message, thrown.code === 'disk' ? thrown : null);
  };
}
