import { createSocket } from 'node:dgram';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/**
 * A program that is a server or a client on a host of the rig, told what to do by lines:
 *   serve HOST PORT NAME          says its name to whoever connects (TCP) or sends (UDP); `serving HOST PORT`
 *   open ID HOST PORT             connects; `ID waiting`, then `ID name NAME` or `ID over CODE`
 *   say ID TEXT                   sends a line; `ID heard TEXT`
 *   sound ID HOST PORT            sends datagrams from a socket of its own until it hears; `ID waiting`, then as for open
 *   ask ID HOST PORT              sends a datagram, from one socket for each ID; `ID name NAME`
 *   shut ID                       closes
 */

const sockets = new Map<string, Socket>();
const datagrams = new Map<string, ReturnType<typeof createSocket>>();
const print = (text: string): void => void process.stdout.write(`${text}\n`);

function serve(host: string, port: number, name: string): void {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(`name ${name}\n`);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => socket.write(`heard ${text}`));
  });
  echo(host, port, name, () => server.listen({ port, host }, () => print(`serving ${host} ${port}`)));
}

function echo(host: string, port: number, name: string, onReady: () => void): void {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (_bytes, from) => socket.send(`name ${name}`, from.port, from.address));
  socket.bind(port, host, onReady);
}

function open(id: string, host: string, port: number): void {
  const socket = connect({ host, port });
  let code = 'closed';
  let rest = '';
  sockets.set(id, socket);
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) print(`${id} ${line}`);
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code ?? error.message;
  });
  socket.on('close', () => print(`${id} over ${code}`));
  print(`${id} waiting`);
}

function sound(id: string, host: string, port: number): void {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  let again: NodeJS.Timeout | null = null;
  const end = (how: string): void => {
    if (again !== null) clearInterval(again);
    socket.removeAllListeners().on('error', () => undefined);
    socket.close();
    print(`${id} ${how}`);
  };
  socket.on('message', (bytes) => end(bytes.toString()));
  socket.on('error', (error: NodeJS.ErrnoException) => end(`over ${error.code ?? error.message}`));
  socket.connect(port, host, () => {
    print(`${id} waiting`);
    socket.send('?');
    again = setInterval(() => socket.send('?'), 200);
  });
}

function ask(id: string, host: string, port: number): void {
  const known = datagrams.get(id);
  const socket = known ?? createSocket(host.includes(':') ? 'udp6' : 'udp4');
  if (known === undefined) {
    datagrams.set(id, socket);
    socket.on('message', (bytes) => print(`${id} ${bytes.toString()}`));
    socket.on('error', () => undefined);
  }
  socket.send('?', port, host);
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const [order = '', one = '', two = '', three = ''] = line.split(' ');
  if (order === 'serve') serve(one, Number(two), three);
  else if (order === 'open') open(one, two, Number(three));
  else if (order === 'sound') sound(one, two, Number(three));
  else if (order === 'ask') ask(one, two, Number(three));
  else if (order === 'say') sockets.get(one)?.write(`${two}\n`);
  else if (order === 'shut') sockets.get(one)?.destroy();
});
