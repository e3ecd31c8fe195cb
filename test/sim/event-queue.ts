/** Something that will happen at a moment of true time. */
export interface SimEvent {
  readonly atMs: number;
  /** Events of the same moment happen in the order in which they were planned. */
  readonly order: number;
  task: (() => void) | null;
}

/** The events to come, soonest first: a binary heap. A cancelled event stays in it without its task. */
export class EventQueue {
  readonly #heap: SimEvent[] = [];
  #order = 0;

  add(atMs: number, task: () => void): SimEvent {
    const event: SimEvent = { atMs, order: this.#order, task };
    this.#order += 1;
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const above = (at - 1) >>> 1;
      if (!before(event, heap[above]!)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = event;
    return event;
  }

  /** Takes out the next event, if it is due by then. */
  take(untilMs: number): SimEvent | null {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.atMs > untilMs) return null;
      this.#removeFirst();
      if (first.task !== null) return first;
    }
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const moved = heap.pop()!;
    const { length } = heap;
    if (length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= length) break;
      if (below + 1 < length && before(heap[below + 1]!, heap[below]!)) below += 1;
      if (!before(heap[below]!, moved)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = moved;
  }
}

function before(one: SimEvent, other: SimEvent): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
