import type { Scheduler } from '../../kit/clock.ts';

export const BUFFER_BYTES = 1024 * 1024;
/** Where direct writes may begin and end, whatever the disk. */
export const SECTOR_BYTES = 4096;
/** What comes in one turn of the event loop, 8 MiB at most, fills half of them while the other half is being written. */
export const BUFFERS = 16;
const REST_MS = 5000;
const WASM_PAGE_BYTES = 64 * 1024;

/** What is used of it; neither Node's types nor those of the language have it. */
declare const WebAssembly: {
  readonly Memory: new (pages: { readonly initial: number; readonly maximum: number }) => {
    readonly buffer: ArrayBuffer;
  };
};

/** Memory for a part of a file, from some sector to the next multiple of the memory's length at most. */
export interface WriteBuffer {
  readonly bytes: Uint8Array;
  position: number;
  filled: number;
}

/** Memory for what waits to be written around the page cache, shared by the files of a disk. */
export class WriteBuffers {
  readonly scheduler: Scheduler;
  #free: WriteBuffer[] | null = null;
  #restsUntilMs = -Infinity;

  constructor(scheduler: Scheduler) {
    this.scheduler = scheduler;
  }

  get hasFree(): boolean {
    return this.#free === null || this.#free.length > 0;
  }

  /** An empty buffer; undefined if all are in use, or there is no memory for any. */
  take(): WriteBuffer | undefined {
    this.#free ??= newBuffers();
    return this.#free.pop();
  }

  give(buffer: WriteBuffer): void {
    buffer.filled = 0;
    this.#free?.push(buffer);
  }

  /** The disk is too slow: nothing is to be written around the page cache for a while. */
  rest(): void {
    this.#restsUntilMs = this.scheduler.monotonicMs() + REST_MS;
  }

  get rests(): boolean {
    return this.scheduler.monotonicMs() < this.#restsUntilMs;
  }
}

/** Direct writes want memory that begins at a page of the system: that of WebAssembly does, array buffers do not. */
function newBuffers(): WriteBuffer[] {
  const pages = (BUFFERS * BUFFER_BYTES) / WASM_PAGE_BYTES;
  try {
    const { buffer: memory } = new WebAssembly.Memory({ initial: pages, maximum: pages });
    return Array.from({ length: BUFFERS }, (_, number) => ({
      bytes: new Uint8Array(memory, number * BUFFER_BYTES, BUFFER_BYTES),
      position: 0,
      filled: 0,
    }));
  } catch {
    // Where the address space is limited: all is written as usual.
    return [];
  }
}
