import { readFileSync } from 'node:fs';

/**
 * `ok`: acknowledged. `refused`: the server said that it did not do it. `unknown`: the request was sent and no answer
 * came, so it may have been done. `unconnected`: no connection, nothing was sent; the same write is tried again.
 */
export type Outcome = 'ok' | 'refused' | 'unknown' | 'unconnected';

/** One attempt of a client to write; times by `machineMs`. */
export interface Attempt {
  readonly op: 'ADD' | 'DEL';
  readonly user: string;
  readonly friend: string;
  /** Which of the client's places it went to, where it has several. */
  readonly place?: string;
  /** When the connection was begun. */
  readonly startMs: number;
  /** When the request was sent; null if it was not. */
  readonly sentMs: number | null;
  readonly doneMs: number;
  readonly outcome: Outcome;
  /** Answer or error, if not `OK`. */
  readonly detail: string;
}

/** A fault: the moment before it was set and the moment when it surely was. */
export interface Moment {
  readonly beginMs: number;
  readonly endMs: number;
}

export interface Verdict {
  /** Number of attempts by outcome. */
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** `user friend` of acknowledged writes that the state lacks. */
  readonly lost: readonly string[];
  /** Of entries that are there although the write was refused, never sent, or deleted with acknowledgement. */
  readonly ghosts: readonly string[];
  /** Of entries that are listed more than once. */
  readonly duplicates: readonly string[];
}

/** Reads what a history client logged, one JSON object a line. */
export function readHistory(file: string): Attempt[] {
  const text = readFileSync(file, 'utf8');
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n'); // the last may still be on its way
  return lines.filter(Boolean).map((line) => JSON.parse(line) as Attempt);
}

/** Compares what was acknowledged with what is there: friends of each user, as listed by the server. */
export function verifyHistory(attempts: readonly Attempt[], state: ReadonlyMap<string, readonly string[]>): Verdict {
  const outcomes = { ok: 0, refused: 0, unknown: 0, unconnected: 0 };
  const expected = new Map<string, 'present' | 'absent' | 'either'>();
  for (const { op, user, friend, outcome } of attempts) {
    outcomes[outcome]++;
    const entry = `${user} ${friend}`;
    if (outcome === 'ok') expected.set(entry, op === 'ADD' ? 'present' : 'absent');
    else if (outcome === 'unknown') expected.set(entry, 'either');
    else if (!expected.has(entry)) expected.set(entry, 'absent');
  }
  const present = new Set<string>();
  const duplicates: string[] = [];
  for (const [user, friends] of state) {
    for (const friend of friends) {
      const entry = `${user} ${friend}`;
      if (present.has(entry)) duplicates.push(entry);
      present.add(entry);
    }
  }
  const entries = [...expected];
  return {
    outcomes,
    lost: entries.flatMap(([entry, is]) => (is === 'present' && !present.has(entry) ? entry : [])),
    ghosts: entries.flatMap(([entry, is]) => (is === 'absent' && present.has(entry) ? entry : [])),
    duplicates,
  };
}

/**
 * Milliseconds from a fault to the first acknowledgement of a write whose connection was begun after the fault was
 * surely there: only what serves afterwards can have given it. Null if there was none.
 */
export function outageMs(attempts: readonly Attempt[], fault: Moment): number | null {
  const after = attempts.filter((one) => one.outcome === 'ok' && one.startMs >= fault.endMs);
  return after.length === 0 ? null : Math.min(...after.map((one) => one.doneMs)) - fault.beginMs;
}

/** The longest time without an acknowledgement between two moments, in milliseconds. */
export function longestGapMs(attempts: readonly Attempt[], fromMs: number, toMs: number): number {
  const acks = attempts.flatMap((one) => (one.outcome === 'ok' ? one.doneMs : []));
  const inside = acks.filter((ms) => ms > fromMs && ms < toMs).toSorted((one, other) => one - other);
  return Math.max(...[...inside, toMs].map((ms, index) => ms - (inside[index - 1] ?? fromMs)));
}

/** Attempts begun between two moments that the client has to count as failed: sent, and not acknowledged. */
export function failures(attempts: readonly Attempt[], fromMs: number, toMs: number): Attempt[] {
  const failed = attempts.filter((one) => one.outcome === 'refused' || one.outcome === 'unknown');
  return failed.filter((one) => one.startMs >= fromMs && one.startMs < toMs);
}
