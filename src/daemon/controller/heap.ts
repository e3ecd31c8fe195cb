import module from 'node:module';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/**
 * Most of what the controller allocates is gone with the message, heartbeat or probe that it was for. The young generation
 * gets this much, so that next to nothing is alive when it is collected; more would only be memory.
 */
const YOUNG_BYTES = 16 * 1024 * 1024;
/** V8 lets the young generation grow where much of it stays alive: so many objects at once, so many times at most. */
const HELD_OBJECTS = 20_000;
const GROWTH_ROUNDS = 100;

/**
 * Sizes the heap for messages that are small and short-lived: left alone, V8 lets the young generation grow to 128 MB and
 * the old one to several times what is alive. Threads that help with collections so small cost more than they save.
 *
 * To be called once, when all modules are loaded: compiled code that is kept for the next start is bound to the flags.
 */
export function collectOften(): void {
  module.flushCompileCache();
  growYoung();
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--no-parallel-scavenge');
  setFlagsFromString('--heap-growing-percent=60');
}

/** The size of the young generation is no flag that can be set while V8 runs. */
function growYoung(): void {
  let held: object[] = [];
  for (let round = 0; round < GROWTH_ROUNDS && youngBytes() < YOUNG_BYTES; round += 1)
    held = Array.from({ length: HELD_OBJECTS }, () => ({ beside: held.length }));
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? Infinity;
}
