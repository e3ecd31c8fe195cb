import { Worker } from 'node:worker_threads';
import { HsctlError, messageOf } from '../../kit/errors.ts';
import type { SortedEntries } from './entry-list.ts';
import { SHARDS } from './fingerprint.ts';
import type { BuiltIndex, IndexBuilder } from './index-builder.ts';
import type { FromIndexThread, ToIndexThread } from './index-thread-messages.ts';

/** So many entries may wait in memory, of 16 bytes each. */
const WAITING_LIMIT = 8 * 1024 * 1024;

/** Builds an index on a thread of its own, which ends with it and does not keep the process alive. */
export function threadIndexBuilder(keys: number): IndexBuilder {
  return new ThreadIndexBuilder(keys);
}

class ThreadIndexBuilder implements IndexBuilder {
  readonly #thread: Worker;
  readonly #built = Promise.withResolvers<BuiltIndex>();
  #waiting = 0;
  #ended = false;
  #room: PromiseWithResolvers<void> | null = null;

  constructor(keys: number) {
    // Named without its ending: it is .ts in the source tree and .js once built.
    const ending = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
    this.#thread = new Worker(new URL(`./index-thread${ending}`, import.meta.url));
    this.#thread.unref();
    // Whoever waits for the index hears of a failure; until then nobody does.
    this.#built.promise.catch(() => undefined);
    this.#thread.on('message', (message: FromIndexThread) => this.#take(message));
    this.#thread.on('error', (error) => this.#fail(messageOf(error)));
    this.#thread.on('exit', () => this.#fail('it ended'));
    this.#send({ type: 'start', keys });
  }

  add(id: number, entries: SortedEntries): void {
    if (this.#ended) return;
    this.#waiting += entries.starts[SHARDS]!;
    this.#send({ type: 'add', id, entries });
  }

  get room(): Promise<void> | null {
    if (this.#waiting <= WAITING_LIMIT) return null;
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  finish(): Promise<BuiltIndex> {
    this.#thread.ref();
    this.#send({ type: 'finish' });
    return this.#built.promise;
  }

  abandon(): void {
    this.#fail('it was called off');
    void this.#thread.terminate();
  }

  /** Nothing is handed over: what is not in memory that threads share is copied. */
  #send(message: ToIndexThread): void {
    this.#thread.postMessage(message, []);
  }

  #take(message: FromIndexThread): void {
    if (message.type === 'built') {
      this.#built.resolve(message.index);
      void this.#thread.terminate();
      return;
    }
    this.#waiting -= message.entries;
    if (this.#waiting <= WAITING_LIMIT) this.#makeRoom();
  }

  #fail(reason: string): void {
    this.#ended = true;
    this.#built.reject(new HsctlError('failed', `the thread that builds the index: ${reason}`));
    this.#waiting = 0;
    this.#makeRoom();
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = null;
  }
}
