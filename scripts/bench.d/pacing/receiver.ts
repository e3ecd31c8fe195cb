import { systemScheduler } from '../../../src/kit/clock.ts';
import { NO_LEASE, type LinkMessage, type PeerHello } from '../../../src/protocol/link/messages.ts';
import { dialLink } from '../../../src/transport/dial.ts';
import type { LinkConnection } from '../../../src/transport/link-connection.ts';

const HELLO: PeerHello = {
  type: 'peerHello',
  versions: { oldest: 1, newest: 1 },
  cluster: 'bench',
  group: 'bench',
  node: 'b',
  instance: 'pacing',
  role: 'slave',
  epoch: 0,
  renouncedEpoch: 0,
  end: { epoch: 0, seq: 0, hash: 0 },
  history: [],
  aloneTo: 0,
  index: 'bench',
};

/**
 * Plays the slave with an empty log: takes all that the master on `port` sends, and keeps nothing but how many bytes of
 * log came in each stretch of `windowMs`, counted from the first byte. Resolves after so many windows.
 */
export async function receivedByWindow(port: number, windowMs: number, windows: number): Promise<readonly number[]> {
  const link = await dialLink({
    endpoint: { host: '127.0.0.1', port },
    security: { kind: 'plain' },
    expected: { role: 'node', cluster: 'bench', name: 'a' },
    timeoutMs: 10_000,
    scheduler: systemScheduler,
  });
  try {
    return await count(link, windowMs, windows);
  } finally {
    link.close('measured');
  }
}

function count(link: LinkConnection, windowMs: number, windows: number): Promise<readonly number[]> {
  const bytes = Array.from({ length: windows }, () => 0);
  let firstMs: number | null = null;
  return new Promise((resolve, reject) => {
    link.onClose((reason) => reject(new Error(`the master closed the link: ${reason}`)));
    link.onMessage((message) => {
      if (message.type !== 'batch' && message.type !== 'hint') return answer(link, message);
      const nowMs = performance.now();
      firstMs ??= nowMs;
      const window = Math.floor((nowMs - firstMs) / windowMs);
      if (window < windows) bytes[window]! += message.bytes.length;
      else resolve(bytes);
    });
    link.send(HELLO);
  });
}

function answer(link: LinkConnection, message: LinkMessage): void {
  if (message.type === 'attach') {
    link.send({ type: 'ack', epoch: message.epoch, seq: message.fork.seq });
  } else if (message.type === 'ping') {
    link.send({ type: 'grant', echoedSentAtMs: message.sentAtMs, epoch: message.epoch, ...NO_LEASE });
  }
}
