import type { TestContext } from 'node:test';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { systemScheduler } from '../../src/kit/clock.ts';
import type { LogFields, Logger } from '../../src/kit/logger.ts';
import type { Hello, LinkMessage, PeerHello } from '../../src/protocol/link/messages.ts';
import { dialLink, type DialOptions } from '../../src/transport/dial.ts';
import type { LinkConnection } from '../../src/transport/link-connection.ts';
import { type LinkListener, listenForLinks, type ListenOptions } from '../../src/transport/listen.ts';

/** Links over loopback for tests: everything that a test opens is closed at its end. */

export const hello: Hello = {
  type: 'hello',
  versions: { oldest: 1, newest: 1 },
  cluster: 'realm-7',
  group: 'world',
  node: 'a',
  instance: 'x',
};

export const peerHello: PeerHello = {
  ...hello,
  type: 'peerHello',
  role: 'slave',
  epoch: 1,
  renouncedEpoch: 0,
  end: { epoch: 0, seq: 0, hash: 0 },
  history: [],
  aloneTo: 0,
  index: 'b-index',
};

export interface LogLine {
  readonly message: string;
  readonly fields: LogFields;
}

/** A listener on loopback that keeps what happened: its log lines, its links in the order of their hellos. */
export interface TestListener {
  readonly port: number;
  readonly listener: LinkListener;
  readonly lines: LogLine[];
  readonly links: LinkConnection[];
  /** The next link that says hello. */
  nextLink(): Promise<{ link: LinkConnection; hello: Hello | PeerHello }>;
  /** Resolves once there are so many lines in the log. */
  logged(count: number): Promise<void>;
}

/** Links that a test dialled: they are closed before the listener, which would else wait for them to read its end. */
const dialled = new WeakMap<TestContext, LinkConnection[]>();

export async function startListener(t: TestContext, change: Partial<ListenOptions> = {}): Promise<TestListener> {
  const lines: LogLine[] = [];
  const links: LinkConnection[] = [];
  const arrived: { link: LinkConnection; hello: Hello | PeerHello }[] = [];
  const waiting: (() => void)[] = [];
  const wake = (): void => waiting.splice(0).forEach((resolve) => resolve());
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const listener = await listenForLinks({
    endpoint: { host: '127.0.0.1', port: 0 },
    security: { kind: 'plain' },
    expected: [],
    scheduler: systemScheduler,
    logger: recordingLogger(lines, wake),
    onLink(link, greeting) {
      links.push(link);
      arrived.push({ link, hello: greeting });
      wake();
    },
    ...change,
  });
  t.after(() => {
    for (const link of dialled.get(t) ?? []) link.close('the test is over');
    return listener.close();
  });
  return {
    port: listener.port,
    listener,
    lines,
    links,
    async nextLink() {
      await until(() => arrived.length > 0);
      return arrived.shift()!;
    },
    logged: (count) => until(() => lines.length >= count),
  };
}

export async function dial(t: TestContext, port: number, change: Partial<DialOptions> = {}): Promise<LinkConnection> {
  const link = await dialLink({
    endpoint: { host: '127.0.0.1', port },
    security: { kind: 'plain' },
    expected: { role: 'node', cluster: 'realm-7', name: 'a' },
    timeoutMs: 10_000,
    scheduler: systemScheduler,
    ...change,
  });
  dialled.set(t, [...(dialled.get(t) ?? []), link]);
  return link;
}

/** A bare TCP connection, for peers that do not keep to the protocol. */
export async function dialRaw(t: TestContext, port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => undefined);
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** The reason of the link's end. */
export function closed(link: LinkConnection): Promise<string> {
  return new Promise((resolve) => link.onClose(resolve));
}

/** Collects what comes; `next(count)` resolves with the first `count` messages once they are there. */
export function collect(link: LinkConnection): {
  messages: LinkMessage[];
  first(count: number): Promise<LinkMessage[]>;
} {
  const messages: LinkMessage[] = [];
  let wake = (): void => undefined;
  link.onMessage((message) => {
    messages.push(message);
    wake();
  });
  return {
    messages,
    async first(count) {
      while (messages.length < count) await new Promise<void>((resolve) => void (wake = resolve));
      return messages.slice(0, count);
    },
  };
}

function recordingLogger(lines: LogLine[], onLine: () => void): Logger {
  const add = (message: string, fields: LogFields = {}): void => {
    lines.push({ message, fields });
    onLine();
  };
  const logger: Logger = { debug: add, info: add, warn: add, error: add, child: () => logger };
  return logger;
}
