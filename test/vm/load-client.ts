import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

/**
 * Clients that make a request each, at a steady rate, over a connection of its own (tcp) or from a socket of its own
 * (udp), to the servers of test/traffic/net-peer.ts, round robin over the places:
 *   load-client.ts --every MS tcp/10.0.0.100/9000 udp/fd77::101/9000 ...
 * A line on its standard input makes it stop and print what became of them: a line `PLACE OUTCOME COUNT` each, the
 * outcome a server's name or what went wrong; at last `end`.
 */

/** Who waits longer has been forgotten; far more than emulation needs. */
const TIMEOUT_MS = 20_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { every: { type: 'string', default: '5' } },
});
const outcomes = new Map<string, number>();
const underWay = new Set<Promise<void>>();
let turn = 0;

/** Name of the server, heard before and after the question. */
function byTcp(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ host, port }).setEncoding('latin1').setTimeout(TIMEOUT_MS);
    const end = (outcome: string): void => {
      socket.removeAllListeners().on('error', () => undefined);
      socket.destroy();
      resolve(outcome);
    };
    socket.on('connect', () => socket.write('one\n'));
    socket.on('data', (more: string) => {
      text += more;
      const name = /^name (\S+)\nheard one\n/.exec(text)?.[1];
      if (name !== undefined) end(name);
    });
    socket.on('timeout', () => end('timeout'));
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    socket.on('close', () => end('closed'));
  });
}

function byUdp(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const late = setTimeout(() => end('timeout'), TIMEOUT_MS);
    const end = (outcome: string): void => {
      clearTimeout(late);
      socket.removeAllListeners().on('error', () => undefined);
      socket.close();
      resolve(outcome);
    };
    socket.on('message', (bytes) => end(bytes.toString().replace('name ', '')));
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    socket.connect(port, host, () => socket.send('?'));
  });
}

function begin(): void {
  const place = positionals[turn++ % positionals.length] ?? '';
  const [protocol = '', host = '', port = ''] = place.split('/');
  const request = (protocol === 'tcp' ? byTcp : byUdp)(host, Number(port)).then((outcome) => {
    const key = `${place} ${outcome}`;
    if (!outcomes.has(key)) console.log(`first ${key}`);
    outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
    underWay.delete(request);
  });
  underWay.add(request);
}

const timer = setInterval(begin, Number(values.every));
createInterface({ input: process.stdin }).once('line', () => {
  clearInterval(timer);
  void Promise.all(underWay).then(() => {
    for (const [key, count] of outcomes) console.log(`${key} ${count}`);
    console.log('end');
    process.exit();
  });
});
