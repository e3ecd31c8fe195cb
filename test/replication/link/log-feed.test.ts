import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LinkMessage } from '../../../src/protocol/link/messages.ts';
import { LogFeed } from '../../../src/replication/link/log-feed.ts';
import type { LinkConnection } from '../../../src/transport/link-connection.ts';
import { ManualScheduler } from '../../kit/manual-scheduler.ts';
import { LogWriter, MemoryLog } from '../memory-log.ts';
import { UNLIMITED } from './pair-of-nodes.ts';

const MiB = 1024 * 1024;

/** A link that takes whatever it is given at once. */
class GreedyLink implements LinkConnection {
  readonly peer = 'b';
  readonly identity = null;
  readonly queuedBytes = 0;
  readonly sent: LinkMessage[] = [];

  send(message: LinkMessage): boolean {
    this.sent.push(message);
    return true;
  }

  onMessage(): void {}
  onDrain(): void {}
  onClose(): void {}
  pause(): void {}
  resume(): void {}
  close(): void {}
}

test('a catch-up sends one piece a turn, so that whoever waits for this node comes in between', async () => {
  const log = new MemoryLog();
  const writer = new LogWriter(log);
  writer.reign(1);
  for (let count = 0; count < 16; count++) writer.write(1, MiB / 2);
  const scheduler = new ManualScheduler();
  const link = new GreedyLink();
  const turns: (() => void)[] = [];
  const feed = new LogFeed(
    {
      link,
      log,
      ships: false,
      pace: UNLIMITED,
      scheduler,
      endOfTurn: (task) => void turns.push(task),
      onFailure: (error) => assert.fail(String(error)),
      onLive: () => undefined,
    },
    0,
  );
  const bytes = (): number =>
    link.sent.reduce((sum, message) => sum + ('bytes' in message ? message.bytes.length : 0), 0);
  let [most, before] = [0, 0];
  const endTurn = (): void => {
    most = Math.max(most, bytes() - before);
    before = bytes();
  };
  while (feed.takenSeq < log.end.seq || turns.length > 0) {
    await scheduler.advance(1);
    endTurn();
    for (const task of turns.splice(0)) task();
    endTurn();
  }
  assert.ok(bytes() > 8 * MiB);
  assert.ok(most <= MiB / 4, `${most} bytes in one turn`);
  feed.stop();
});
