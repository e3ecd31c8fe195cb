import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { HsctlError } from '../kit/errors.ts';
import { loadConfig } from './load.ts';
import type { LoadAnswer } from './load-aside.ts';

/** The thread that reads a configuration: see `loadConfigAside`, which starts it. */

// Null where the module is loaded outside a thread, as by the test of the package.
if (parentPort !== null) answer(parentPort);

function answer(port: MessagePort): void {
  port.postMessage(load(String(workerData)) satisfies LoadAnswer);
}

function load(path: string): LoadAnswer {
  try {
    return { loaded: loadConfig(path) };
  } catch (error) {
    if (!(error instanceof HsctlError)) throw error;
    const { code, message, hint } = error;
    return { failed: { code, message, hint } };
  }
}
