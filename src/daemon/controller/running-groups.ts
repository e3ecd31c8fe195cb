import type { GroupRuntime } from './group-runtime.ts';

interface RunningGroup {
  readonly runtime: GroupRuntime;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** The groups of a running controller: those of its configuration, which a reload adds to and takes from. */
export class RunningGroups {
  readonly #running = new Map<string, RunningGroup>();
  readonly #failed = Promise.withResolvers<never>();

  /** By name, in the order in which they were added. */
  get runtimes(): readonly GroupRuntime[] {
    return [...this.#running.values()].map(({ runtime }) => runtime);
  }

  get(name: string): GroupRuntime | undefined {
    return this.#running.get(name)?.runtime;
  }

  add(runtime: GroupRuntime): void {
    const stop = new AbortController();
    const done = runtime.run(stop.signal);
    // One that fails by itself is a bug, with which the daemon ends.
    done.catch((error: unknown) => this.#failed.reject(error));
    this.#running.set(runtime.group.name, { runtime, stop, done });
  }

  /** Stops watching a group and gives its traffic up. Its record stays, for the day on which it comes back. */
  async remove(name: string): Promise<void> {
    const group = this.#running.get(name);
    if (group === undefined) return;
    this.#running.delete(name);
    await group.runtime.giveTrafficUp();
    group.stop.abort();
    await group.done;
  }

  /** Works until `signal` aborts and every group has stopped; the traffic stays as it is. */
  async run(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    try {
      await Promise.race([aborted, this.#failed.promise]);
    } finally {
      for (const { stop } of this.#running.values()) stop.abort();
    }
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }
}
