/**
 * Work where only the newest wish counts: one run at a time, and a wish that comes meanwhile replaces the one that
 * waits. Whoever asked for a replaced wish gets the outcome of the one that replaced it.
 */
export class Latest<Wish> {
  readonly #work: (wish: Wish) => Promise<void>;
  #running: Promise<void> | null = null;
  #next: { wish: Wish; readonly outcome: PromiseWithResolvers<void> } | null = null;

  constructor(work: (wish: Wish) => Promise<void>) {
    this.#work = work;
  }

  /** Resolves, or rejects, as the run for this wish or for the one that superseded it did. */
  submit(wish: Wish): Promise<void> {
    if (this.#running === null) return this.#start(wish);
    if (this.#next === null) this.#next = { wish, outcome: Promise.withResolvers<void>() };
    else this.#next.wish = wish;
    return this.#next.outcome.promise;
  }

  /** Resolves when nothing runs or waits; outcomes are the submitters' affair. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running.catch(() => undefined);
  }

  #start(wish: Wish): Promise<void> {
    const outcome = this.#work(wish).finally(() => {
      this.#running = null;
      const next = this.#next;
      this.#next = null;
      if (next !== null) next.outcome.resolve(this.#start(next.wish));
    });
    this.#running = outcome;
    return outcome;
  }
}
