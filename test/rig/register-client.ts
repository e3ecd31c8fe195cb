/**
 * Clients that add, delete and list a few friendships over and over, and note what they were told and when. Runs as a
 * process on a host of the rig until SIGTERM:
 *
 *   register-client.ts --to 10.0.0.100:9000 --file registers.ndjson [--workers 4] [--every 25]
 *
 * Every ten seconds of the machine's clock all of them turn to new users, so that a register's history stays short.
 */
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { LineSocket } from './line-socket.ts';
import { machineMs } from './machine-clock.ts';
import { FRIENDS, type RegisterEntry } from './register-entries.ts';

const USERS = 4;
const USERS_LAST_MS = 10_000;

const { values } = parseArgs({
  options: {
    to: { type: 'string', default: '127.0.0.1:9000' },
    file: { type: 'string', default: 'registers.ndjson' },
    workers: { type: 'string', default: '4' },
    every: { type: 'string', default: '25' },
    'connect-timeout': { type: 'string', default: '200' },
    'answer-timeout': { type: 'string', default: '1000' },
  },
});

const colon = values.to.lastIndexOf(':');
const to = { host: values.to.slice(0, colon), port: Number(values.to.slice(colon + 1)) };
const file = createWriteStream(values.file);
const stop = new AbortController();

function pick<T>(items: readonly T[]): T {
  return items[Math.floor(Math.random() * items.length)]!;
}

type Request = Pick<RegisterEntry, 'kind' | 'user' | 'friends'>;

function nextRequest(): Request {
  const user = `t${Math.floor(machineMs() / USERS_LAST_MS)}-${Math.floor(Math.random() * USERS)}`;
  const kind = pick(['ADD', 'DEL', 'LIST', 'LIST'] as const);
  return { kind, user, friends: kind === 'LIST' ? [] : [pick(FRIENDS)] };
}

/** One request at a time; every second worker keeps its connection for the next one. */
async function work(persistent: boolean): Promise<void> {
  const kept: LineSocket[] = [];
  while (!stop.signal.aborted) {
    const request = nextRequest();
    const startMs = machineMs();
    const note = (outcome: RegisterEntry['outcome'], friends = request.friends): void =>
      void file.write(`${JSON.stringify({ ...request, friends, startMs, doneMs: machineMs(), outcome })}\n`);
    let socket = kept.pop();
    try {
      if (!socket?.open) socket = undefined;
      socket ??= await LineSocket.connect(to, Number(values['connect-timeout']));
      const line = [request.kind, request.user, ...request.friends].join(' ');
      const [word, ...rest] = (await socket.request(line, Number(values['answer-timeout']))).split(' ');
      if (word === 'OK') note('ok');
      else if (word === 'FRIENDS') note('ok', rest);
      else note('refused');
      if (persistent) kept.push(socket);
      else socket.close();
    } catch {
      note(socket === undefined ? 'unconnected' : 'unknown');
    }
    await pause(Number(values.every));
  }
  for (const socket of kept) socket.close();
}

process.once('SIGTERM', () => stop.abort());
console.log('asking');
await Promise.all(Array.from({ length: Number(values.workers) }, (_, index) => work(index % 2 === 0)));
await finished(file.end());
