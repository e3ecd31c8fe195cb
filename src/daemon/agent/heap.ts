import module from 'node:module';
import { setFlagsFromString } from 'node:v8';

/**
 * What the agent reads and sends lies in buffers that V8 counts as growth of the heap. At full speed that made it mark
 * the whole heap after every few megabytes of traffic, which cost as much as all the rest of the agent's work. With this
 * it does so when five times what is alive has gathered, 100 MB or so.
 *
 * To be called once, when all modules are loaded: compiled code that is kept for the next start is bound to the flags.
 */
export function collectSeldom(): void {
  module.flushCompileCache();
  setFlagsFromString('--heap-growing-percent=400');
}
