import { sleep } from '../../kit/clock.ts';
import { damagedFile, diskFailure } from './disk-failure.ts';
import type { Segment } from './segment.ts';
import type { Store } from './store.ts';

/** A modest share of what disks give: nobody waits for it. */
const BYTES_PER_SECOND = 64 * 1024 * 1024;
/** The system reads so much in one go, in which it may let nobody else have the processor. */
const PIECE_BYTES = 128 * 1024;

/**
 * Reads back, slowly, what came whole and went to the disk around the page cache, once all is on stable storage: whether it
 * is what came shows before somebody needs it, and who asks for a value afterwards finds it in memory, if there was room.
 */
export class ReadBack {
  readonly #store: Store;
  readonly #onFailure: (thrown: unknown) => void;
  #abort = new AbortController();
  #running: Promise<void> | null = null;

  constructor(store: Store, onFailure: (thrown: unknown) => void) {
    this.#store = store;
    this.#onFailure = onFailure;
  }

  /** Reads what is there to be read, in the background. */
  start(): void {
    if (this.#store.options.readBackTimers === null) return;
    this.#running ??= this.#readAll()
      .catch(this.#onFailure)
      .finally(() => {
        this.#running = null;
      });
  }

  /** Resolves once nothing is being read. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
    this.#abort = new AbortController();
  }

  async #readAll(): Promise<void> {
    const { signal } = this.#abort;
    const room = Buffer.allocUnsafeSlow(PIECE_BYTES);
    for (const segment of this.#store.segments.list) {
      if (!segment.isUnread || !segment.isSealed) continue;
      segment.hold();
      try {
        await this.#read(segment, room, signal);
      } finally {
        segment.release();
      }
      if (signal.aborted) return;
      segment.isUnread = false;
    }
  }

  async #read(segment: Segment, room: Uint8Array, signal: AbortSignal): Promise<void> {
    const timers = this.#store.options.readBackTimers!;
    for (let at = 0; at < segment.bytes && !segment.dropped && !signal.aborted; at += PIECE_BYTES) {
      const beganMs = timers.monotonicMs();
      segment.checkBlocks(await readPiece(segment, at, room), at);
      const restMs = (PIECE_BYTES / BYTES_PER_SECOND) * 1000 - (timers.monotonicMs() - beganMs);
      await sleep(timers, Math.max(1, restMs), signal);
    }
  }
}

async function readPiece({ file, bytes }: Segment, at: number, room: Uint8Array): Promise<Uint8Array> {
  const length = Math.min(PIECE_BYTES, bytes - at);
  let got = 0;
  try {
    got = await file.readLater(room, 0, length, at);
  } catch (error) {
    throw diskFailure('read', file.path, at, error);
  }
  if (got < length) throw damagedFile(file.path, at + got, 'the file ends here');
  return room.subarray(0, length);
}
