import type { Scheduler, Timer } from '../../kit/clock.ts';
import { HsctlError } from '../../kit/errors.ts';
import type { LinkConnection } from '../../transport/link-connection.ts';
import type { Log } from '../log/log.ts';
import type { Shipment } from '../log/shipment.ts';
import { RateMeter } from '../pace/rate-meter.ts';
import { type Pace, TokenBucket } from '../pace/token-bucket.ts';
import { ReadRooms } from './read-rooms.ts';

/** Most bytes of log that go to the link in one piece: what a heartbeat may have to wait behind. */
const PIECE_BYTES = 256 * 1024;
/** Read at once: little at first, for a slave that misses little; each time twice as much, up to a limit. */
const FIRST_READ_BYTES = 64 * 1024;
const READ_BYTES = 1024 * 1024;
/** Batches just appended that are kept in memory for a slave that is nearly level. */
const RECENT_LIMIT_BYTES = 4 * 1024 * 1024;
const RECENT_LIMIT_BATCHES = 8192;

interface Stretch {
  readonly bytes: Uint8Array;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** What was read ahead: batches, or a part of what a complete segment consists of. */
interface Prefetched extends Stretch {
  readonly kind: 'batch' | 'hint';
  /** With the first part of a segment: how long its hint file is; else 0. */
  readonly hintBytes: number;
  /** No more of the same segment comes. */
  readonly last: boolean;
}

export interface LogFeedOptions {
  readonly link: LinkConnection;
  readonly log: Log;
  /** Whether the slave takes complete segments whole: its index has the same key. */
  readonly ships: boolean;
  readonly pace: Pace;
  readonly scheduler: Scheduler;
  /** Runs a task when everything that has arrived by now has been taken. */
  readonly endOfTurn: (task: () => void) => void;
  /** The log could not be read. */
  readonly onFailure: (error: unknown) => void;
  /** The feed has caught up with the log for the first time: what comes now is sent from memory. */
  readonly onLive: () => void;
}

/** Progress of a catch-up. */
export interface CatchUp {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly bytesPerSecond: number;
}

/**
 * Sends the log from one place on, without gap or double, to one link.
 *
 * Everything that is appended goes into a short queue in memory that always ends with the log's end. If the next record to
 * send is in that queue (or it is empty and all is sent), the feed is live and sends from it; else it reads the log,
 * paced, until it has come up to the queue. What the queue cannot hold it drops from its front: a slave that is too slow
 * so falls back to reading by itself, and memory stays bounded.
 *
 * One piece at a time: the next goes out only when the link has taken the last, so what else is said on the link
 * (heartbeats, grants) never waits behind more than one; and of what was read from the log only one piece goes out in a
 * turn, so that no request of a client waits behind more than that.
 */
export class LogFeed {
  readonly #link: LinkConnection;
  readonly #log: Log;
  readonly #ships: boolean;
  readonly #scheduler: Scheduler;
  readonly #endOfTurn: (task: () => void) => void;
  readonly #bucket: TokenBucket;
  readonly #rate: RateMeter;
  readonly #onFailure: (error: unknown) => void;
  readonly #onLive: () => void;
  /** Batches up to the log's end, oldest first. */
  #recent: Stretch[] = [];
  #recentBytes = 0;
  #endSeq: number;
  /** Everything up to here was handed to the link or is in `#outgoing`. */
  #takenSeq: number;
  #outgoing: Uint8Array | null = null;
  #outgoingKind: 'batch' | 'hint' = 'batch';
  #outgoingAt = 0;
  #outgoingPaced = false;
  #prefetched: Prefetched | null = null;
  /** The complete segment that is being sent. */
  #shipment: Shipment | null = null;
  readonly #rooms = new ReadRooms();
  #readBytes = FIRST_READ_BYTES;
  /** Bytes of log that the link was ever given. */
  #givenBytes = 0;
  #reading = false;
  #writable = true;
  /** A piece has gone out in this turn, and others have theirs before the next. */
  #yielding = false;
  #paceTimer: Timer | null = null;
  #wasLive = false;
  #stopped = false;
  #sentBytes = 0;

  /** Starts at once with the record behind `fromSeq`. */
  constructor(options: LogFeedOptions, fromSeq: number) {
    this.#link = options.link;
    this.#log = options.log;
    this.#ships = options.ships;
    this.#scheduler = options.scheduler;
    this.#endOfTurn = options.endOfTurn;
    this.#onFailure = options.onFailure;
    this.#onLive = options.onLive;
    this.#bucket = new TokenBucket(options.pace, this.#scheduler.monotonicMs());
    this.#rate = new RateMeter(this.#scheduler.monotonicMs());
    this.#takenSeq = fromSeq;
    this.#endSeq = this.#log.end.seq;
    this.#link.onDrain(() => {
      this.#writable = true;
      this.#pump();
    });
    this.#pump();
  }

  /** Last record of which anything was sent: nobody can have more than that from us. */
  get takenSeq(): number {
    return this.#takenSeq;
  }

  /**
   * A batch was appended to the log just now. Whether its bytes are needed when this returns, and must not change then:
   * not if all of it has gone to the kernel, the usual case.
   */
  appended(batch: Uint8Array): boolean {
    const firstSeq = this.#endSeq + 1;
    if (this.#log.end.seq < firstSeq) return false;
    if (!this.#isLive) this.#bucket.give(batch.length);
    this.#endSeq = this.#log.end.seq;
    this.#recent.push({ bytes: batch, firstSeq, lastSeq: this.#endSeq });
    this.#recentBytes += batch.length;
    this.#pump();
    while (this.#recentBytes > RECENT_LIMIT_BYTES || this.#recent.length > RECENT_LIMIT_BATCHES) this.#dropOldest();
    return this.#recent.length > 0 || this.#outgoing !== null || this.#link.queuedBytes > 0;
  }

  setPace(pace: Pace): void {
    this.#bucket.setPace(pace, this.#scheduler.monotonicMs());
    this.#paceTimer?.cancel();
    this.#paceTimer = null;
    this.#pump();
  }

  /** How far the catch-up is; null when the feed is live. */
  catchUp(): CatchUp | null {
    if (this.#isLive) return null;
    const doneBytes = this.#sentBytes;
    const underWay = this.#outgoing === null ? 0 : this.#outgoing.length - this.#outgoingAt;
    const left = this.#log.bytesAfter(this.#takenSeq) + (this.#shipment?.leftBytes ?? 0);
    const totalBytes = doneBytes + underWay + Math.max(0, Math.round(left));
    return { doneBytes, totalBytes, bytesPerSecond: this.#rate.bytesPerSecond(this.#scheduler.monotonicMs()) };
  }

  stop(): void {
    this.#stopped = true;
    this.#paceTimer?.cancel();
    this.#recent = [];
    this.#outgoing = null;
    this.#prefetched = null;
    this.#shipment?.close();
  }

  /** Whether the next record to send is in memory, or yet to be written. */
  get #isLive(): boolean {
    if (this.#shipment !== null) return false;
    return this.#takenSeq === this.#endSeq || this.#recent[0]?.firstSeq === this.#takenSeq + 1;
  }

  #dropOldest(): void {
    this.#recentBytes -= this.#recent.shift()?.bytes.length ?? 0;
  }

  #pump(): void {
    while (!this.#stopped && this.#paceTimer === null) {
      if (this.#outgoing === null && !this.#takeNext()) return;
      if (!this.#writable || this.#yielding) return;
      const paced = this.#outgoingPaced;
      if (!this.#sendPiece()) return;
      if (paced) this.#yield();
    }
  }

  #yield(): void {
    this.#yielding = true;
    this.#endOfTurn(() => {
      this.#yielding = false;
      this.#pump();
    });
  }

  /** Takes the next stretch to send; false if there is none, or it has yet to be read. */
  #takeNext(): boolean {
    while (this.#recent[0] !== undefined && this.#recent[0].lastSeq <= this.#takenSeq) this.#dropOldest();
    const live = this.#isLive;
    if (live) this.#becomeLive();
    const next = live ? this.#recent[0] : this.#prefetched;
    if (next !== undefined && next !== null) {
      if (live) this.#dropOldest();
      this.#outgoingKind = live || this.#prefetched === null ? 'batch' : this.#begin(this.#prefetched);
      this.#prefetched = null;
      this.#outgoing = next.bytes;
      this.#outgoingAt = 0;
      this.#outgoingPaced = !live;
      this.#takenSeq = next.lastSeq;
    }
    this.#read();
    return this.#outgoing !== null;
  }

  /** What was read ahead is to go out now. */
  #begin({ kind, hintBytes, last }: Prefetched): 'batch' | 'hint' {
    if (hintBytes > 0) this.#link.send({ type: 'segment', hintBytes });
    if (last) this.#endShipment();
    return kind;
  }

  #endShipment(): void {
    this.#shipment?.close();
    this.#shipment = null;
  }

  #becomeLive(): void {
    this.#sentBytes = 0;
    if (this.#wasLive) return;
    this.#wasLive = true;
    this.#onLive();
  }

  /** Sends one piece of what is outgoing; false if it has to wait for its pace. */
  #sendPiece(): boolean {
    const bytes = this.#outgoing!;
    const nowMs = this.#scheduler.monotonicMs();
    const limit = this.#outgoingPaced ? this.#bucket.pieceBytes(PIECE_BYTES) : PIECE_BYTES;
    const piece = bytes.subarray(this.#outgoingAt, this.#outgoingAt + limit);
    if (this.#outgoingPaced) {
      const waitMs = this.#bucket.waitMs(piece.length, nowMs);
      if (waitMs > 0) return this.#wait(waitMs);
      this.#bucket.take(piece.length, nowMs);
    }
    this.#writable = this.#link.send({ type: this.#outgoingKind, bytes: piece });
    this.#sentBytes += piece.length;
    this.#givenBytes += piece.length;
    this.#rate.add(piece.length, nowMs);
    this.#outgoingAt += piece.length;
    if (this.#outgoingAt === bytes.length) {
      this.#outgoing = null;
      this.#rooms.leave(bytes, this.#givenBytes);
    }
    return true;
  }

  #wait(waitMs: number): false {
    this.#paceTimer = this.#scheduler.after(waitMs, () => {
      this.#paceTimer = null;
      this.#pump();
    });
    return false;
  }

  /** Fetches the stretch behind what was taken, if it is not in memory and not on its way. */
  #read(): void {
    if (!this.#reading && this.#prefetched === null && !this.#isLive) void this.#readNext(this.#takenSeq);
  }

  async #readNext(from: number): Promise<void> {
    this.#reading = true;
    const length = this.#readBytes;
    this.#readBytes = Math.min(2 * length, READ_BYTES);
    const room = this.#rooms.take(length, this.#givenBytes, this.#link.queuedBytes);
    let next: Prefetched;
    try {
      if (this.#ships) this.#shipment ??= this.#log.ship(from);
      next = await (this.#shipment === null
        ? this.#readBatches(from, length, room)
        : this.#readShipment(this.#shipment, from, length, room));
    } catch (thrown) {
      return this.#fail(thrown);
    } finally {
      this.#reading = false;
    }
    if (this.#stopped) return;
    if (room !== undefined && next.bytes.buffer !== room.buffer) this.#rooms.leave(room, this.#givenBytes);
    // Nothing else can have been taken meanwhile: what is in memory begins behind what was to be read.
    this.#prefetched = next;
    this.#pump();
  }

  async #readBatches(from: number, length: number, room: Uint8Array | undefined): Promise<Prefetched> {
    const { bytes, lastSeq } = await this.#log.readAfter(from, length, room);
    if (bytes === null) throw new HsctlError('disk', `the log ends at record ${from} instead of ${this.#endSeq}`);
    return { bytes, firstSeq: from + 1, lastSeq, kind: 'batch', hintBytes: 0, last: true };
  }

  async #readShipment(
    shipment: Shipment,
    from: number,
    length: number,
    room: Uint8Array | undefined,
  ): Promise<Prefetched> {
    const { isBegun, hintBytes, endSeq } = shipment;
    const part = await shipment.next(length, room);
    return { ...part, firstSeq: from + 1, lastSeq: endSeq, hintBytes: isBegun ? 0 : hintBytes };
  }

  #fail(thrown: unknown): void {
    if (!this.#stopped) this.#onFailure(thrown);
  }
}
