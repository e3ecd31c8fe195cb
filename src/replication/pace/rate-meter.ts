/** Bytes per second over about the last `windowMs`: the present window and what the one before still counts for. */
export class RateMeter {
  readonly #windowMs: number;
  readonly #startMs: number;
  #windowStartMs: number;
  #bytes = 0;
  #bytesBefore = 0;

  constructor(nowMs: number, windowMs = 1000) {
    this.#windowMs = windowMs;
    this.#startMs = nowMs;
    this.#windowStartMs = nowMs;
  }

  add(bytes: number, nowMs: number): void {
    this.#advance(nowMs);
    this.#bytes += bytes;
  }

  bytesPerSecond(nowMs: number): number {
    this.#advance(nowMs);
    const intoMs = nowMs - this.#windowStartMs;
    const weight = 1 - intoMs / this.#windowMs;
    const coveredMs = Math.min(this.#windowMs, nowMs - this.#startMs);
    return coveredMs <= 0 ? 0 : ((this.#bytes + this.#bytesBefore * weight) / coveredMs) * 1000;
  }

  #advance(nowMs: number): void {
    const windows = Math.floor((nowMs - this.#windowStartMs) / this.#windowMs);
    if (windows <= 0) return;
    this.#bytesBefore = windows === 1 ? this.#bytes : 0;
    this.#bytes = 0;
    this.#windowStartMs += windows * this.#windowMs;
  }
}
