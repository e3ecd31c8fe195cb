/** A line that the runner inside the VM sends to the one outside. */
export type VmLine = VmResult | VmSaid | { readonly kind: 'end' };

/** What a test printed, for people: the load that it reached, how long something took. */
export interface VmSaid {
  readonly kind: 'said';
  readonly text: string;
}

/** What became of one test inside the VM. */
export interface VmResult {
  readonly kind: 'result';
  /** `ipvs-nat.inside.ts > suite > test`. */
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly durationMs: number;
  /** What went wrong, for people; empty unless it failed. */
  readonly failure: string;
}
