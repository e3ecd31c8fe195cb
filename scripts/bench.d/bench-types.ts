export interface BenchOptions {
  /** How often each case is measured; null for the bench's own choice. */
  readonly runs: number | null;
  /** Records in the store, for the benches that have one; null for their own choice. */
  readonly records: number | null;
  /** How long to go on, for the bench that only ends by time; null for its own choice. */
  readonly minutes: number | null;
  /** Tells the person who waits how far it is. */
  readonly note: (line: string) => void;
}

/** Measures, and gives what is printed as JSON. Rejects if something could not be measured. */
export type Bench = (options: BenchOptions) => Promise<object>;
