import { EXIT } from '../kit/errors.ts';

/**
 * Aborts at the first SIGTERM or SIGINT, so that a daemon can stop in order. A second one ends the process at once, for
 * an operator who will not wait. SIGHUP is for daemons that run: it does not end one that is still reading its store.
 */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(EXIT.failed);
      stop.abort(name);
    });
  }
  process.on('SIGHUP', () => undefined);
  return stop.signal;
}
