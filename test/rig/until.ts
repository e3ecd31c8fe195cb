import { setTimeout as pause } from 'node:timers/promises';
import { machineMs } from './machine-clock.ts';
import { PATIENCE } from './patience.ts';

/**
 * Waits for something that sends no event: asks `condition` until it gives a value other than null, undefined or
 * false, and resolves to that value. Rejects after `limitMs`, naming `what`.
 */
export async function until<T>(
  what: string,
  condition: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  limitMs = 10_000 * PATIENCE,
  everyMs = 20,
): Promise<T> {
  const deadline = machineMs() + limitMs;
  for (;;) {
    const value = await condition();
    if (value !== null && value !== undefined && value !== false) return value;
    if (machineMs() > deadline) throw new Error(`waited ${limitMs} ms in vain for: ${what}`);
    await pause(everyMs * PATIENCE); // where asking takes longer, too
  }
}
