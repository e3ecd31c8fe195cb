/**
 * A client that knows exactly what it was promised. Runs as a process on a host of the rig:
 *
 *   history-client.ts write --to 10.0.0.100:9000 --file history.ndjson [--every 4] [--persistent] ...
 *     writes until SIGTERM, to several places in turn if they are named with commas between, and logs each attempt to the file. A line `mark N` on its standard input is
 *     answered by `mark N ok` at the first acknowledgement of a write that was begun after it.
 *   history-client.ts check --to 10.0.0.12:9000 --file history.ndjson
 *     reads the lists back and prints the verdict as one line of JSON.
 */
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { type Attempt, readHistory, verifyHistory } from './history.ts';
import { HistoryWriter, type Place } from './history-writer.ts';
import { LineSocket } from './line-socket.ts';
import { machineMs } from './machine-clock.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    to: { type: 'string', default: '127.0.0.1:9000' },
    file: { type: 'string', default: 'history.ndjson' },
    every: { type: 'string', default: '4' },
    'in-flight': { type: 'string', default: '64' },
    'connect-timeout': { type: 'string', default: '100' },
    'answer-timeout': { type: 'string', default: '1000' },
    persistent: { type: 'boolean', default: false },
    'keep-pace': { type: 'boolean', default: false },
    users: { type: 'string', default: '50' },
    prefix: { type: 'string', default: '' },
  },
});

const to = values.to.split(',').map(placeOf);

function placeOf(name: string): Place {
  const colon = name.lastIndexOf(':');
  return { name, host: name.slice(0, colon).replaceAll(/[[\]]/g, ''), port: Number(name.slice(colon + 1)) };
}

async function write(): Promise<void> {
  const file = createWriteStream(values.file);
  const marks = new Map<string, number>();
  let seen = false;
  const record = (attempt: Attempt): void => {
    file.write(`${JSON.stringify(attempt)}\n`);
    if (attempt.outcome !== 'ok') return;
    if (!seen) console.log('first ok');
    seen = true;
    for (const [mark, sinceMs] of marks) {
      if (attempt.startMs < sinceMs) continue;
      marks.delete(mark);
      console.log(`${mark} ok`);
    }
  };
  const stop = new AbortController();
  process.once('SIGTERM', () => stop.abort());
  const orders = createInterface({ input: process.stdin });
  orders.on('line', (line) => marks.set(line, machineMs()));
  const writer = new HistoryWriter(
    {
      to,
      everyMs: Number(values.every),
      keepsPace: values['keep-pace'],
      inFlight: Number(values['in-flight']),
      connectTimeoutMs: Number(values['connect-timeout']),
      answerTimeoutMs: Number(values['answer-timeout']),
      persistent: values.persistent,
      users: Number(values.users),
      prefix: values.prefix,
    },
    record,
  );
  await writer.run(stop.signal);
  orders.close();
  process.stdin.destroy();
  await finished(file.end());
}

async function check(): Promise<void> {
  const attempts = readHistory(values.file);
  const socket = await LineSocket.connect(placeOf(values.to), 5_000);
  const state = new Map<string, string[]>();
  for (const user of new Set(attempts.map((attempt) => attempt.user))) {
    const [word, ...friends] = (await socket.request(`LIST ${user}`, 5_000)).split(' ');
    if (word !== 'FRIENDS') throw new Error(`LIST ${user} was answered by ${word} ${friends.join(' ')}`);
    state.set(user, friends);
  }
  socket.close();
  console.log(JSON.stringify(verifyHistory(attempts, state)));
}

await (positionals[0] === 'check' ? check() : write());
