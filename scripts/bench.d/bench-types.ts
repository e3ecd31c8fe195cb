export interface BenchOptions {
  /** How often each case is measured; null for the bench's own choice. */
  readonly runs: number | null;
  /** Tells the person who waits how far it is. */
  readonly note: (line: string) => void;
}

/** Measures, and gives what is printed as JSON. Rejects if something could not be measured. */
export type Bench = (options: BenchOptions) => Promise<object>;
