/** One operation of a client on one key, in true time. */
export interface Operation {
  readonly kind: 'write' | 'read';
  readonly value: string | null;
  readonly startMs: number;
  /** Infinity while nobody knows whether, or when, it took effect. */
  readonly endMs: number;
}

/**
 * Whether one register's operations can be put in an order that explains every answer, each at one moment between its
 * start and its end (Wing and Gong, 1993, with Lowe's memory of visited states as in Porcupine). Values written are
 * unique. Returns null if so, else an operation that cannot be placed.
 */
export function notLinearizable(operations: readonly Operation[], initial: string | null): Operation | null {
  const read = new Set(operations.filter(({ kind }) => kind === 'read').map(({ value }) => value));
  // A write that nobody knows of and nobody read need not have happened.
  const relevant = operations.filter(
    ({ kind, endMs, value }) => endMs !== Infinity || (kind === 'write' && read.has(value)),
  );
  const ordered = relevant.toSorted((one, other) => one.startMs - other.startMs);
  return new Search(ordered, initial).run();
}

class Search {
  readonly #operations: readonly Operation[];
  readonly #done: boolean[];
  readonly #seen = new Set<string>();
  #value: string | null;
  /** The furthest that any order got: what it could not place. */
  #stuck: Operation | null = null;
  #most = -1;

  constructor(operations: readonly Operation[], initial: string | null) {
    this.#operations = operations;
    this.#done = operations.map(() => false);
    this.#value = initial;
  }

  run(): Operation | null {
    return this.#place(0, 0) ? null : this.#stuck;
  }

  /** Everything before `first` is placed. */
  #place(from: number, placed: number): boolean {
    let first = from;
    while (this.#done[first]) first += 1;
    if (first === this.#operations.length) return true;
    if (!this.#isNew(first)) return false;
    // Whatever starts after the earliest end of those that wait cannot come next.
    let deadlineMs = Infinity;
    for (let at = first; at < this.#operations.length; at += 1) {
      const operation = this.#operations[at]!;
      if (operation.startMs > deadlineMs) break;
      if (!this.#done[at]) deadlineMs = Math.min(deadlineMs, operation.endMs);
    }
    for (let at = first; at < this.#operations.length; at += 1) {
      const operation = this.#operations[at]!;
      if (operation.startMs > deadlineMs) break;
      if (this.#done[at] || (operation.kind === 'read' && operation.value !== this.#value)) continue;
      const before = this.#value;
      this.#done[at] = true;
      this.#value = operation.value;
      if (this.#place(first, placed + 1)) return true;
      this.#done[at] = false;
      this.#value = before;
    }
    if (placed > this.#most) {
      this.#most = placed;
      this.#stuck = this.#operations[first]!;
    }
    return false;
  }

  /** Whether the set of placed operations with this value has not been tried. */
  #isNew(first: number): boolean {
    let last = this.#done.length - 1;
    while (last > first && !this.#done[last]) last -= 1;
    let key = `${first}:${this.#value}:`;
    for (let at = first; at <= last; at += 1) key += this.#done[at] ? '1' : '0';
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }
}
