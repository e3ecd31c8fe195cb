import { close, constants, openSync, writev } from 'node:fs';
import { type WriteBuffer, BUFFERS, BUFFER_BYTES, type WriteBuffers, SECTOR_BYTES } from './write-buffers.ts';

/** Buffers in one write at most: others fill meanwhile, and whoever has to wait for the file does not for long. */
const BUFFERS_AT_ONCE = BUFFERS / 2;
/** A disk that takes longer for a write is left to the page cache for a while. */
const PATIENCE_MS = 250;

/** What the system has for writes around the page cache. */
export interface DirectIo {
  /** Throws where the file system has no such writes. */
  open(path: string): number;
  /** Tells of an error, or how many bytes were written. */
  write(handle: number, parts: readonly Uint8Array[], position: number, done: (written: number | Error) => void): void;
  close(handle: number): void;
}

const SYSTEM: DirectIo = {
  open: (path) => openSync(path, constants.O_WRONLY | constants.O_DIRECT),
  write: (handle, parts, position, done) => writev(handle, parts, position, (error, written) => done(error ?? written)),
  // What the system says of a write it has said before.
  close: (handle) => close(handle, () => undefined),
};

/**
 * Writes a file in order from its front, around the page cache (`O_DIRECT`) and in the background: for much that comes at
 * once and is not read soon, such writes cost a tenth of the processor time, since nothing is copied in the system and no
 * memory is taken from it. Everything goes through the page cache where the file system has no such writes, and
 * for some seconds after the disk did not take it as fast as it came.
 *
 * One write at a time, so that a process that is killed leaves the file with all up to some place and nothing
 * behind it.
 */
export class DirectWriter {
  readonly #path: string;
  readonly #pool: WriteBuffers;
  readonly #writeCached: (bytes: Uint8Array, position: number) => void;
  readonly #io: DirectIo;
  /** For direct writes; null before the first, and where there are none. */
  #handle: number | null = null;
  #works = true;
  #filling: WriteBuffer | null = null;
  /** Full buffers that wait. */
  #full: WriteBuffer[] = [];
  /** What is being written in the background. */
  #writing: readonly WriteBuffer[] = [];
  /** Whether that was written through the page cache, too. */
  #writtenTwice = false;
  /** Waits for the end of what is being written. */
  #turn: PromiseWithResolvers<void> | null = null;
  #closed = false;

  /** `writeCached` writes to the same file as usual, and throws what the system does. */
  constructor(
    path: string,
    pool: WriteBuffers,
    writeCached: (bytes: Uint8Array, position: number) => void,
    io: DirectIo = SYSTEM,
  ) {
    this.#path = path;
    this.#pool = pool;
    this.#writeCached = writeCached;
    this.#io = io;
  }

  /** Takes what stands behind all that came before. Throws what the system does, if it does at once. */
  write(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length;) {
      const at = position + done;
      const buffer = (this.#filling ??= this.#bufferFor(at));
      const part = bytes.subarray(done, done + BUFFER_BYTES - (at % BUFFER_BYTES));
      if (buffer === null) this.#writeAsUsual(part, at);
      else this.#fill(buffer, part);
      done += part.length;
    }
  }

  /** Whether there is memory for more. If not, it goes through the page cache all the same. */
  get hasRoom(): boolean {
    return this.isIdle || this.#pool.hasFree;
  }

  /** Resolves once there is. Rejects with what the system says. */
  async room(): Promise<void> {
    if (this.hasRoom) return;
    await this.#patiently();
    if (this.#pool.rests) this.flush();
  }

  /** Sees to it that the system has all that came. Throws what it does; what could not be written is kept then. */
  flush(): void {
    // The number of a file that is closed may be another one's by now.
    if (this.#closed) return;
    // What is being written comes, too: nobody can say whether the system has it by now.
    const kept = [...(this.#writtenTwice ? [] : this.#writing), ...this.#full];
    if (this.#filling !== null) kept.push(this.#filling);
    for (const { bytes, filled, position } of kept) this.#writeCached(bytes.subarray(0, filled), position);
    this.#writtenTwice = true;
    this.#forget();
  }

  /** Resolves once the system has all that came, and nothing is being written in the background. Rejects with what it says. */
  async finish(): Promise<void> {
    this.#queueWholeSectors();
    while (!this.isIdle) await this.#patiently();
    this.flush();
  }

  get isIdle(): boolean {
    return this.#writing.length === 0;
  }

  /** Forgets what the system does not have yet. */
  close(): void {
    this.#closed = true;
    this.#forget();
    if (this.#handle === null || !this.isIdle) return;
    this.#io.close(this.#handle);
    this.#handle = null;
  }

  #forget(): void {
    if (this.#filling !== null) this.#full.push(this.#filling);
    this.#filling = null;
    for (const buffer of this.#full.splice(0)) this.#pool.give(buffer);
  }

  #bufferFor(position: number): WriteBuffer | null {
    if (position % SECTOR_BYTES !== 0 || this.#pool.rests || !this.#opens()) return null;
    const buffer = this.#pool.take();
    if (buffer === undefined) return null;
    buffer.position = position;
    return buffer;
  }

  #opens(): boolean {
    if (this.#handle !== null || !this.#works) return this.#works;
    try {
      this.#handle = this.#io.open(this.#path);
    } catch {
      this.#works = false;
    }
    return this.#works;
  }

  #writeAsUsual(bytes: Uint8Array, position: number): void {
    this.flush();
    this.#writeCached(bytes, position);
  }

  #fill(buffer: WriteBuffer, bytes: Uint8Array): void {
    buffer.bytes.set(bytes, buffer.filled);
    buffer.filled += bytes.length;
    if ((buffer.position + buffer.filled) % BUFFER_BYTES !== 0) return;
    this.#filling = null;
    this.#full.push(buffer);
    this.#writeNext();
  }

  /** The last buffer goes as far as it can; what is left of it gets another. */
  #queueWholeSectors(): void {
    const last = this.#filling;
    const left = (last?.filled ?? 0) % SECTOR_BYTES;
    if (last === null || last.filled === left || this.#handle === null) return;
    const rest = left === 0 ? null : this.#pool.take();
    if (rest === undefined) return;
    last.filled -= left;
    if (rest !== null) {
      rest.position = last.position + last.filled;
      rest.bytes.set(last.bytes.subarray(last.filled, last.filled + left));
      rest.filled = left;
    }
    this.#filling = rest;
    this.#full.push(last);
    this.#writeNext();
  }

  #writeNext(): void {
    if (!this.isIdle || this.#full.length === 0 || this.#handle === null) return;
    if (!this.#works || this.#pool.rests) return;
    const buffers = this.#full.splice(0, BUFFERS_AT_ONCE);
    const parts = buffers.map(({ bytes, filled }) => bytes.subarray(0, filled));
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    this.#writing = buffers;
    this.#writtenTwice = false;
    this.#io.write(this.#handle, parts, buffers[0]!.position, (written) => {
      this.#written(buffers, written === length);
    });
  }

  /** Buffers that were not taken go through the page cache with the next write or flush, which says what is wrong. */
  #written(buffers: readonly WriteBuffer[], taken: boolean): void {
    this.#writing = [];
    if (!taken) this.#works = false;
    // Even if it was written twice: a write that fails may have undone the other.
    if (!taken) this.#full.unshift(...buffers);
    else for (const buffer of buffers) this.#pool.give(buffer);
    if (this.#closed) this.close();
    else this.#writeNext();
    this.#turn?.resolve();
    this.#turn = null;
  }

  /** Waits for the end of what is being written. If that takes long, the page cache gets what comes next. */
  async #patiently(): Promise<void> {
    this.#turn ??= Promise.withResolvers();
    const timer = this.#pool.scheduler.after(PATIENCE_MS, () => this.#pool.rest());
    await this.#turn.promise;
    timer.cancel();
  }
}
