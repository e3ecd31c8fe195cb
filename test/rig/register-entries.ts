import { readFileSync } from 'node:fs';
import { notLinearizable, type Operation } from '../sim/register-history.ts';

/**
 * What register clients note: each friendship is a register, present or absent, and a list reads several of them at
 * once. Times are milliseconds of the machine's monotonic clock, the same for the clients of all hosts.
 */
export interface RegisterEntry {
  readonly kind: 'ADD' | 'DEL' | 'LIST';
  readonly user: string;
  /** Friend that is added or deleted; the answer to a LIST names all of them. */
  readonly friends: readonly string[];
  readonly startMs: number;
  readonly doneMs: number;
  /** `refused`: surely not done. `unknown`: sent, and nobody knows. */
  readonly outcome: 'ok' | 'refused' | 'unknown' | 'unconnected';
}

/** Friends that each user may have: the registers of a user. */
export const FRIENDS = ['x', 'y'] as const;

/** A time without an answer after which nothing is concluded from the answers before and after it. */
const STEADY_MS = 100;

export function readEntries(file: string): RegisterEntry[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  lines.pop(); // complete lines only: the last one may still be on its way
  return lines.filter(Boolean).map((line) => JSON.parse(line) as RegisterEntry);
}

/** The operations on each register, as the checker takes them; what was surely not done is left out. */
function operationsByRegister(entries: readonly RegisterEntry[]): Map<string, Operation[]> {
  const registers = new Map<string, Operation[]>();
  const add = (register: string, operation: Operation): void => {
    const operations = registers.get(register);
    if (operations) operations.push(operation);
    else registers.set(register, [operation]);
  };
  for (const { kind, user, friends, startMs, doneMs, outcome } of entries) {
    if (kind === 'LIST') {
      if (outcome !== 'ok') continue;
      for (const friend of FRIENDS) {
        const value = friends.includes(friend) ? 'present' : 'absent';
        add(`${user} ${friend}`, { kind: 'read', value, startMs, endMs: doneMs });
      }
    } else if (outcome === 'ok' || outcome === 'unknown') {
      const value = kind === 'ADD' ? 'present' : 'absent';
      const endMs = outcome === 'ok' ? doneMs : Infinity;
      add(`${user} ${friends[0]}`, { kind: 'write', value, startMs, endMs });
    }
  }
  return registers;
}

/** Registers whose operations no order explains, each with an operation that cannot be placed; empty if all is well. */
export function registerViolations(entries: readonly RegisterEntry[]): string[] {
  return [...operationsByRegister(entries)].flatMap(([register, operations]) => {
    const stuck = notLinearizable(operations, 'absent');
    if (stuck === null) return [];
    const { kind, value, startMs, endMs } = stuck;
    return `${register}: ${kind} ${value} from ${startMs.toFixed(1)} to ${endMs.toFixed(1)} ms cannot be placed`;
  });
}

/** A stretch of time, in milliseconds. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * When a server surely served, by the answers that it gave to a client of its own which asks all the time: between two
 * answers that follow each other soon, none refused.
 */
export function servingStretches(entries: readonly RegisterEntry[]): Stretch[] {
  const stretches: Stretch[] = [];
  let open: { fromMs: number; toMs: number; doneMs: number } | null = null;
  for (const { outcome, startMs, doneMs } of entries.toSorted((one, other) => one.startMs - other.startMs)) {
    const prompt = outcome === 'ok' && doneMs - startMs <= STEADY_MS;
    if (prompt && open && startMs - open.doneMs <= STEADY_MS) {
      open.toMs = Math.max(open.toMs, startMs);
      open.doneMs = doneMs;
      continue;
    }
    if (open && open.toMs > open.fromMs) stretches.push({ fromMs: open.fromMs, toMs: open.toMs });
    open = prompt ? { fromMs: doneMs, toMs: doneMs, doneMs } : null;
  }
  if (open && open.toMs > open.fromMs) stretches.push({ fromMs: open.fromMs, toMs: open.toMs });
  return stretches;
}

/** The times that belong to a stretch of both. */
export function commonStretches(ones: readonly Stretch[], others: readonly Stretch[]): Stretch[] {
  return ones.flatMap((one) =>
    others.flatMap((other) => {
      const fromMs = Math.max(one.fromMs, other.fromMs);
      const toMs = Math.min(one.toMs, other.toMs);
      return toMs > fromMs ? { fromMs, toMs } : [];
    }),
  );
}

/** Milliseconds in all. */
export function totalMs(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}
