import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { LinkMessage } from '../../../src/protocol/link/messages.ts';
import { PairOfNodes, UNLIMITED } from './pair-of-nodes.ts';

const KiB = 1024;
const MiB = 1024 * 1024;

function ofType<Type extends LinkMessage['type']>(messages: readonly LinkMessage[], type: Type) {
  return messages.filter((message): message is Extract<LinkMessage, { type: Type }> => message.type === type);
}

suite('pace', () => {
  test('a catch-up keeps to it in every interval, large batches too, and can be changed on the way', async () => {
    const pace = { bytesPerSecond: 10 * MiB, intervalMs: 100 };
    const pair = new PairOfNodes({ pace, delayMs: 0, chunkBytes: MiB });
    pair.master.writer.reign(1);
    for (let count = 0; count < 30; count += 1) pair.master.write(1, MiB);
    void pair.start();
    await pair.scheduler.advance(200);
    const bytesIn = async (ms: number): Promise<number> => {
      const sent = (): number =>
        ofType(pair.link.acceptor.sent, 'batch').reduce((sum, { bytes }) => sum + bytes.length, 0);
      const before = sent();
      await pair.scheduler.advance(ms);
      return sent() - before;
    };
    for (let window = 0; window < 8; window += 1) {
      const share = (await bytesIn(100)) / MiB;
      assert.ok(Math.abs(share - 1) <= 0.05, `${share} of the pace`);
    }
    const progress = pair.master.session?.catchUp();
    assert.ok(progress && Math.abs(progress.bytesPerSecond / (10 * MiB) - 1) < 0.1, JSON.stringify(progress));
    assert.ok(Math.abs(progress.totalBytes - 30 * MiB) < 2 * MiB);
    const received = pair.following?.catchUp();
    assert.ok(received && received.doneBytes > 8 * MiB && received.doneBytes < 12 * MiB);
    pair.master.session?.setPace({ ...pace, bytesPerSecond: 2 * MiB });
    await bytesIn(100);
    assert.ok(Math.abs((await bytesIn(1000)) / (2 * MiB) - 1) <= 0.05);
    pair.master.session?.setPace(UNLIMITED);
    await pair.untilLevel(1000);
    pair.stop();
  });

  test('it is the rate at which the distance shrinks: writes beside it do not keep a slave away for ever', async () => {
    const pair = new PairOfNodes({ pace: { bytesPerSecond: 4 * MiB, intervalMs: 100 }, delayMs: 0, chunkBytes: MiB });
    pair.master.writer.reign(1);
    for (let count = 0; count < 8; count += 1) pair.master.write(1, MiB);
    void pair.start();
    // Writes at twice the pace.
    for (let passedMs = 0; passedMs < 3000; passedMs += 10) {
      pair.master.write(1, 80 * KiB);
      await pair.scheduler.advance(10);
    }
    assert.equal(pair.master.session?.isLevel, true);
    await pair.untilLevel(1000);
    pair.stop();
  });
});
