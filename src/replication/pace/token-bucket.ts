/** How fast a catch-up may go: bytes per second (above 0), handed out for stretches of `intervalMs`. Null: no limit. */
export interface Pace {
  readonly bytesPerSecond: number | null;
  readonly intervalMs: number;
}

/** Slower than this a catch-up comes to no end. */
export const LEAST_RATE_BYTES = 64 * 1024;

/** Stretches of log go out in so many pieces an interval at least, so that the pace is kept within each interval. */
const PIECES_PER_INTERVAL = 128;
/** What live writes may have saved up beyond one interval's bytes. */
const GIVEN_LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * A token bucket: fills at the configured rate up to one interval's bytes, starts empty, and may be overdrawn by one
 * piece, which the next ones wait for. Time comes from the caller.
 */
export class TokenBucket {
  #pace: Pace;
  #balance = 0;
  #atMs: number;

  constructor(pace: Pace, nowMs: number) {
    this.#pace = pace;
    this.#atMs = nowMs;
  }

  /** Changes the pace from now on; what has been saved up or overdrawn stays, within the new limits. */
  setPace(pace: Pace, nowMs: number): void {
    this.#refill(nowMs);
    this.#pace = pace;
    this.#balance = Math.max(-this.#capacity, Math.min(this.#balance, this.#capacity));
  }

  /**
   * Milliseconds until `bytes` may go: 0 for now. More than one interval's bytes may go as soon as the bucket is full.
   * Never more than an interval, after which the caller asks again.
   */
  waitMs(bytes: number, nowMs: number): number {
    const { bytesPerSecond, intervalMs } = this.#pace;
    if (bytesPerSecond === null) return 0;
    this.#refill(nowMs);
    const lacking = Math.min(bytes, this.#capacity) - this.#balance;
    // A millisecond at least: timers know nothing shorter, and on a clock of floating point the least wait could be none.
    return lacking <= 0 ? 0 : Math.min(intervalMs, Math.max(1, (lacking / bytesPerSecond) * 1000));
  }

  /** `bytes` went out. */
  take(bytes: number, nowMs: number): void {
    if (this.#pace.bytesPerSecond === null) return;
    this.#refill(nowMs);
    this.#balance -= bytes;
  }

  /** `bytes` were added to what has to go: they go beside the pace, so that it is the rate at which the distance shrinks. */
  give(bytes: number): void {
    if (this.#pace.bytesPerSecond === null) return;
    this.#balance = Math.min(this.#balance + bytes, this.#capacity + GIVEN_LIMIT_BYTES);
  }

  /** Pieces no larger than this keep the pace even; `limit` where there is no pace. */
  pieceBytes(limit: number): number {
    if (this.#pace.bytesPerSecond === null) return limit;
    return Math.max(1024, Math.min(limit, Math.floor(this.#capacity / PIECES_PER_INTERVAL)));
  }

  get #capacity(): number {
    return ((this.#pace.bytesPerSecond ?? 0) * this.#pace.intervalMs) / 1000;
  }

  #refill(nowMs: number): void {
    const passedMs = Math.max(0, nowMs - this.#atMs);
    this.#atMs = nowMs;
    const rate = this.#pace.bytesPerSecond;
    if (rate === null || this.#balance >= this.#capacity) return;
    this.#balance = Math.min(this.#capacity, this.#balance + (rate * passedMs) / 1000);
  }
}
