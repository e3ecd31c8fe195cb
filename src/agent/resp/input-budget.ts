/** One whose input is counted. */
export interface Sender {
  /** There is room again. */
  readOn(): void;
  drop(reason: string): void;
}

/** Less than this of a client is not counted: the number of clients bounds it. */
const LEAST_BYTES = 64 * 1024;

/**
 * Bounds what all clients together have sent of large commands that are not done yet. Beyond the limit only the one that
 * began first is read on, so that one after the other comes to its end; if that one stands still while others wait, it
 * is dropped.
 */
export class InputBudget {
  readonly #limitBytes: number;
  readonly #patienceS: number;
  /** Bytes of each, in the order in which they began. */
  readonly #held = new Map<Sender, number>();
  readonly #waiting = new Set<Sender>();
  #total = 0;
  #first: Sender | undefined;
  #firstBytes = 0;
  #standingS = 0;

  constructor(limitBytes: number, patienceS: number) {
    this.#limitBytes = limitBytes;
    this.#patienceS = patienceS;
  }

  /** `sender` has so many bytes now that are not done. Returns whether to read on; if not, `readOn` says when. */
  weigh(sender: Sender, bytes: number): boolean {
    if (bytes <= LEAST_BYTES && this.#held.size === 0) return true;
    const before = this.#held.get(sender) ?? 0;
    const counted = bytes > LEAST_BYTES ? bytes : 0;
    if (counted !== before) {
      this.#total += counted - before;
      if (counted === 0) this.#held.delete(sender);
      else this.#held.set(sender, counted);
      if (counted < before) this.#callOn();
    }
    if (counted === 0 || this.#mayRead(sender)) return true;
    this.#waiting.add(sender);
    return false;
  }

  /** `sender` is gone. */
  forget(sender: Sender): void {
    this.#waiting.delete(sender);
    this.weigh(sender, 0);
  }

  /** To be called every second. */
  second(): void {
    const [first] = this.#held.keys();
    const bytes = first === undefined ? 0 : (this.#held.get(first) ?? 0);
    const stands = this.#waiting.size > 0 && first === this.#first && bytes === this.#firstBytes;
    this.#standingS = stands ? this.#standingS + 1 : 0;
    this.#first = first;
    this.#firstBytes = bytes;
    if (this.#standingS >= this.#patienceS) first?.drop('its large command came to no end while others waited');
  }

  #mayRead(sender: Sender): boolean {
    if (this.#total <= this.#limitBytes) return true;
    const [first] = this.#held.keys();
    return sender === first;
  }

  #callOn(): void {
    if (this.#waiting.size === 0) return;
    const [first] = this.#held.keys();
    const called = this.#total <= this.#limitBytes ? [...this.#waiting] : first === undefined ? [] : [first];
    for (const sender of called) if (this.#waiting.delete(sender)) sender.readOn();
  }
}
