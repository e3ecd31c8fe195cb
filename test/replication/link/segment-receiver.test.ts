import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AckSender } from '../../../src/replication/link/ack-sender.ts';
import { BatchAssembler } from '../../../src/replication/link/batch-assembler.ts';
import { SegmentReceiver } from '../../../src/replication/link/segment-receiver.ts';
import type { LinkConnection } from '../../../src/transport/link-connection.ts';
import { seeded, TestStore } from '../log/open-log.ts';

const PART_BYTES = 700;
const MESSAGES_A_TURN = 7;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A master with some complete segments and nothing behind them. */
async function filledMaster(): Promise<TestStore> {
  const store = new TestStore({ random: seeded(3) });
  for (let number = 0; number < 120; number++) store.set(`key-${number}`, `value ${number}`);
  await store.log.sync();
  await store.log.compact();
  return store;
}

/** A link that brings nothing while it is paused. */
class PausedLink {
  #resumed: PromiseWithResolvers<void> | null = null;
  pauses = 0;

  pause(): void {
    this.pauses += 1;
    this.#resumed ??= Promise.withResolvers();
  }

  resume(): void {
    this.#resumed?.resolve();
    this.#resumed = null;
  }

  async open(): Promise<void> {
    while (this.#resumed !== null) await this.#resumed.promise;
  }
}

/** Sends parts of the master's segments until `messages` were taken, or all; resolves to the last record confirmed by then. */
async function receive(master: TestStore, slave: TestStore, messages: number): Promise<number> {
  let confirmed = 0;
  const fail = (thrown: unknown): never => assert.fail(String(thrown));
  const acks = new AckSender({
    log: slave.log,
    syncBeforeAck: false,
    endOfTurn: (task) => void setImmediate(task),
    onTurn: () => undefined,
    send: (seq) => (confirmed = seq),
    onFailure: fail,
  });
  const link = new PausedLink();
  const receiver = new SegmentReceiver({
    link: link as unknown as LinkConnection,
    log: slave.log,
    onAppended: () => acks.appended(),
    onFailure: fail,
  });
  const assembler = new BatchAssembler();
  for (let left = messages; left > 0;) {
    const shipment = master.log.ship(slave.log.end.seq);
    if (shipment === null) break;
    receiver.take({ type: 'segment', hintBytes: shipment.hintBytes });
    for (let last = false; !last && left > 0; left--) {
      const part = await shipment.next(PART_BYTES);
      ({ last } = part);
      await link.open();
      if (left % MESSAGES_A_TURN === 0) await turn();
      if (part.kind === 'hint') {
        receiver.take({ type: 'hint', bytes: part.bytes });
      } else {
        assembler.push(part.bytes, (batch) => slave.log.append(batch));
        receiver.appended();
      }
    }
    shipment.close();
  }
  await turn();
  receiver.stop();
  acks.stop();
  return confirmed;
}

describe('segments that come whole over a link', () => {
  test('are confirmed when a killed process would not lose them any more', async () => {
    const master = await filledMaster();
    const confirmedAt: number[] = [];
    let comesMore = true;
    for (let messages = 1; comesMore; messages++) {
      const slave = new TestStore({}, async () => {
        for (let turns = 0; turns < messages % 4; turns++) await turn();
      });
      slave.log.takeIndexKey(master.log.indexKey, master.log.count);
      const confirmed = await receive(master, slave, messages);
      comesMore = master.log.ship(slave.log.end.seq) !== null || slave.log.isExpecting;
      slave.disk.kill();
      slave.open();
      assert.ok(slave.log.end.seq >= confirmed, `of ${confirmed} confirmed records ${slave.log.end.seq} are there`);
      await slave.log.close();
      confirmedAt.push(confirmed);
    }
    assert.ok(new Set(confirmedAt).size > 2, 'each segment is confirmed by itself');
    await master.log.close();
  });
});
