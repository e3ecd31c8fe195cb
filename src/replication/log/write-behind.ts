import type { LogPosition } from '../../model/position.ts';
import { diskFailure } from './disk-failure.ts';
import type { Segment } from './segment.ts';

const ROOM_BYTES = 1024 * 1024;
const ROOMS = 6;

/** A checked batch on its way to the file. */
export interface Passage {
  readonly bytes: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly forgetful: boolean;
  readonly end: LogPosition;
}

interface Room {
  readonly bytes: Uint8Array;
  filled: number;
  /** Where its bytes belong. */
  segment: Segment | null;
  position: number;
  passages: Passage[];
  /** A write of it is under way, and nobody may use it before that has ended. */
  underWay: boolean;
}

/** Who hears of each batch once it is in the file, in order, and of a disk that refuses. */
export interface PassageTaker {
  written(passage: Passage): void;
  failed(error: unknown): void;
}

/**
 * Writes batches to the ends of segments without holding up the caller: copies them, and has at most one write under way,
 * so that whatever ends the process, the file has all up to some place and nothing behind it.
 */
export class WriteBehind {
  readonly #taker: PassageTaker;
  readonly #free: Room[] = [];
  #rooms = 0;
  /** What is not in the file yet, in order; the first may be under way, the last may take more. */
  #queue: Room[] = [];
  #running: Promise<void> | null = null;

  constructor(taker: PassageTaker) {
    this.#taker = taker;
  }

  /** Whether so much waits that the next batches may hold up the caller. */
  get isFull(): boolean {
    return this.#queue.length >= ROOMS - 1;
  }

  /** Takes a batch that belongs at `position` of the segment. @throws HsctlError('disk') */
  add(segment: Segment, position: number, batch: Uint8Array, passage: Passage): void {
    const room = batch.length > ROOM_BYTES ? null : this.#roomFor(segment, position, batch.length);
    if (room === null) {
      this.flushNow();
      write(segment, batch, position);
      this.#taker.written(passage);
      return;
    }
    room.bytes.set(batch, room.filled);
    room.filled += batch.length;
    room.passages.push(passage);
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  /** Resolves once no write is under way: all was written, or one failed, which the taker was told. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Writes all that waits at once, also what is under way, a second time. @throws HsctlError('disk') */
  flushNow(): void {
    for (let room = this.#queue.shift(); room !== undefined; room = this.#queue.shift()) {
      write(room.segment!, room.bytes.subarray(0, room.filled), room.position);
      this.#leave(room);
    }
  }

  /** Forgets what waits. */
  forget(): void {
    this.#queue = [];
  }

  /** The room that takes the next batch; null if there is none. */
  #roomFor(segment: Segment, position: number, bytes: number): Room | null {
    const last = this.#queue.at(-1);
    if (last !== undefined && !last.underWay && last.filled + bytes <= ROOM_BYTES) return last;
    const room = this.#free.pop() ?? this.#newRoom();
    if (room === null) return null;
    room.filled = 0;
    room.segment = segment;
    room.position = position;
    room.passages = [];
    this.#queue.push(room);
    return room;
  }

  #newRoom(): Room | null {
    if (this.#rooms === ROOMS) return null;
    this.#rooms += 1;
    const bytes = new Uint8Array(ROOM_BYTES);
    return { bytes, filled: 0, segment: null, position: 0, passages: [], underWay: false };
  }

  async #run(): Promise<void> {
    for (let [room] = this.#queue; room !== undefined; [room] = this.#queue) {
      const failure = await writeLater(room);
      room.underWay = false;
      if (this.#queue[0] === room) {
        if (failure !== null) {
          this.#queue = [];
          return this.#taker.failed(failure);
        }
        this.#queue.shift();
        this.#leave(room);
      } else {
        // It was flushed, or forgotten.
        this.#free.push(room);
      }
    }
  }

  /** All of the room is in the file. */
  #leave(room: Room): void {
    for (const passage of room.passages) this.#taker.written(passage);
    room.passages = [];
    if (!room.underWay) this.#free.push(room);
  }
}

function write(segment: Segment, bytes: Uint8Array, position: number): void {
  try {
    segment.file.write(bytes, position);
  } catch (error) {
    throw diskFailure('write', segment.file.path, position, error);
  }
}

/** Resolves to what went wrong, or null. */
async function writeLater(room: Room): Promise<unknown> {
  const { bytes, filled, position } = room;
  const segment = room.segment!;
  room.underWay = true;
  segment.hold();
  try {
    await segment.file.writeLater(bytes.subarray(0, filled), position);
    return null;
  } catch (error) {
    return diskFailure('write', segment.file.path, position, error);
  } finally {
    segment.release();
  }
}
