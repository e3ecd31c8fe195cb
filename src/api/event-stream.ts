import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { ControllerService, EventQuery } from './controller-service.ts';

const EVENTS_PER_READ = 100;

/**
 * Writes events, one JSON object a line, first what the query selects and then each new one, until the reader goes away
 * or `signal` aborts. A notice only wakes it: what is new is read from the records, at the reader's own speed, so a slow
 * reader costs no memory.
 */
export async function streamEvents(
  service: ControllerService,
  query: EventQuery,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  let wake = Promise.withResolvers<void>();
  const gone = new AbortController();
  const end = (): void => {
    gone.abort();
    wake.resolve();
  };
  response.once('close', end);
  signal.addEventListener('abort', end, { once: true });
  const stopListening = service.onEvent(() => wake.resolve());
  try {
    let events = service.events(query);
    let lastId = query.afterId ?? 0;
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.flushHeaders();
    while (!gone.signal.aborted && !signal.aborted) {
      const newest = events.at(-1);
      if (newest === undefined) {
        await wake.promise;
        wake = Promise.withResolvers<void>();
      } else {
        lastId = newest.id;
        const lines = events.map((event) => `${JSON.stringify(event)}\n`).join('');
        if (!response.write(lines)) await drained(response, gone.signal);
      }
      events = service.events({ ...query, afterId: lastId, limit: EVENTS_PER_READ });
    }
  } finally {
    stopListening();
    signal.removeEventListener('abort', end);
    if (response.headersSent) response.end();
  }
}

async function drained(response: ServerResponse, gone: AbortSignal): Promise<void> {
  try {
    await once(response, 'drain', { signal: gone });
  } catch (error) {
    if (!gone.aborted) throw error;
  }
}
