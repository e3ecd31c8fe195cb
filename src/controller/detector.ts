/**
 * Two detectors that turn single observations into verdicts. Both are pure: time comes in as an argument
 * (monotonic milliseconds), nothing is scheduled here.
 */

export type Verdict = 'up' | 'down' | 'unknown';

/** Verdict over probes: `down` after `fall` bad results in a row, `up` after `rise` good ones; until then as it was. */
export class RiseFall {
  readonly #fall: number;
  readonly #rise: number;
  #verdict: Verdict = 'unknown';
  #changedAtMs: number | null = null;
  /** The last results that were alike. */
  #streak = 0;
  #streakIsGood = false;

  /** `fall` and `rise` are 1 or more. */
  constructor({ fall, rise }: { readonly fall: number; readonly rise: number }) {
    this.#fall = fall;
    this.#rise = rise;
  }

  get verdict(): Verdict {
    return this.#verdict;
  }

  /** When the verdict became what it is; null while it is `unknown`. */
  get changedAtMs(): number | null {
    return this.#changedAtMs;
  }

  /** Whether the last results speak against the verdict, or there is none yet. */
  get inDoubt(): boolean {
    return this.#verdict !== (this.#streakIsGood ? 'up' : 'down');
  }

  /** Takes one result. Returns whether the verdict changed. */
  add(good: boolean, nowMs: number): boolean {
    this.#streak = good === this.#streakIsGood ? this.#streak + 1 : 1;
    this.#streakIsGood = good;
    if (!this.inDoubt || this.#streak < (good ? this.#rise : this.#fall)) return false;
    this.#verdict = good ? 'up' : 'down';
    this.#changedAtMs = nowMs;
    return true;
  }
}

/** The count of one connection's requests. Raise `requests` by one for each; nothing else is needed on the hot path. */
export class Pulse {
  requests = 0;
  /** What `requests` was at the last tick. */
  seen = 0;
  /** Ticks in a row at which both were equal. */
  idleTicks = 0;
}

/**
 * Heartbeats without messages of their own: each request on a connection raises a counter, a timer compares it with
 * what it was, and after `misses` equal ticks the other end is gone. One timer serves all connections.
 */
export class HeartbeatWatch<Connection> {
  readonly #intervalMs: number;
  readonly #misses: number;
  readonly #pulses = new Map<Connection, Pulse>();
  #tickedAtMs: number | null = null;

  /** `tick` is to be called every `intervalMs`. */
  constructor(intervalMs: number, misses: number) {
    this.#intervalMs = intervalMs;
    this.#misses = misses;
  }

  /** Begins to watch a connection; it is alive until `misses` ticks have passed without a request. */
  watch(connection: Connection): Pulse {
    const pulse = new Pulse();
    this.#pulses.set(connection, pulse);
    return pulse;
  }

  /** Stops watching a connection, for instance because it was closed. */
  forget(connection: Connection): void {
    this.#pulses.delete(connection);
  }

  /** Compares all counters. Returns the connections that are gone, once: they are not watched any more. */
  tick(nowMs: number): Connection[] {
    const elapsedMs = nowMs - (this.#tickedAtMs ?? nowMs);
    this.#tickedAtMs = nowMs;
    // After a stall of our own, requests that came in time still wait to be read: silence proves nothing.
    const stalled = elapsedMs > 2 * this.#intervalMs;
    const gone: Connection[] = [];
    for (const [connection, pulse] of this.#pulses) {
      if (pulse.requests !== pulse.seen) pulse.idleTicks = 0;
      else if (!stalled) pulse.idleTicks += 1;
      pulse.seen = pulse.requests;
      if (pulse.idleTicks < this.#misses) continue;
      this.#pulses.delete(connection);
      gone.push(connection);
    }
    return gone;
  }
}
