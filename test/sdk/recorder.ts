/** Keeps what was said to it, for tests that wait for it. */
export class Recorder<T> {
  readonly all: T[] = [];
  #wake: () => void = () => undefined;

  readonly add = (item: T): void => {
    this.all.push(item);
    this.#wake();
  };

  /** Resolves when `enough` is true of what was said. */
  async until(enough: (all: readonly T[]) => boolean): Promise<readonly T[]> {
    while (!enough(this.all)) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.all;
  }

  /** Resolves when so many things were said. */
  count(count: number): Promise<readonly T[]> {
    return this.until((all) => all.length >= count);
  }
}
