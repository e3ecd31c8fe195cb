import { Worker } from 'node:worker_threads';
import { HsctlError, type ErrorCode } from '../kit/errors.ts';
import type { LoadedConfig } from './load.ts';

/** What the thread says: the configuration, or why there is none. */
export type LoadAnswer =
  | { readonly loaded: LoadedConfig }
  | { readonly failed: { readonly code: ErrorCode; readonly message: string; readonly hint: string } };

/**
 * Reads and checks the file as `loadConfig` does, in a thread of its own: that takes a second for a large cluster, for
 * which a daemon that serves leases must not stand still.
 * @throws HsctlError('config') as `loadConfig`
 */
export function loadConfigAside(path: string): Promise<LoadedConfig> {
  // Named without its ending: it is .ts in the source tree and .js once built.
  const ending = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const thread = new Worker(new URL(`./load-thread${ending}`, import.meta.url), { workerData: path });
  return new Promise((resolve, reject) => {
    thread.once('error', reject);
    thread.once('exit', () => reject(new HsctlError('failed', `${path}: the thread that reads it has ended`)));
    thread.once('message', (answer: LoadAnswer) => {
      if ('loaded' in answer) resolve(answer.loaded);
      else reject(new HsctlError(answer.failed.code, answer.failed.message, answer.failed.hint));
    });
  });
}
