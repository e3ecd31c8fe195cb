import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AckSender } from '../../../src/replication/link/ack-sender.ts';
import { BatchAssembler } from '../../../src/replication/link/batch-assembler.ts';
import { IntactWatch } from '../../../src/replication/link/intact-watch.ts';
import { SegmentReceiver } from '../../../src/replication/link/segment-receiver.ts';
import type { LinkConnection } from '../../../src/transport/link-connection.ts';
import { seeded, TestStore } from '../log/open-log.ts';

const PART_BYTES = 700;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A master with some complete segments and nothing behind them. */
async function filledMaster(): Promise<TestStore> {
  const store = new TestStore({ random: seeded(3) });
  for (let number = 0; number < 120; number++) store.set(`key-${number}`, `value ${number}`);
  await store.log.sync();
  await store.log.compact();
  return store;
}

/** One whose first segments lack what later records replaced, up to record 308; the others are as they were written. */
async function compactedMaster(): Promise<TestStore> {
  const store = new TestStore({ random: seeded(3) });
  const value = 'v'.repeat(60);
  for (let number = 0; number < 300; number++) store.set(`key-${number % 40}`, `${number}${value}`);
  await store.log.sync();
  store.log.setConfirmed(300);
  while (await store.log.compact());
  for (let number = 0; number < 68; number++) store.set(`late-${number}`, value);
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

interface Transfer {
  readonly messages: number;
  readonly messagesATurn: number;
  /** Where the master's log ended when the slave attached; it says so again with message `pingAt` from the end. */
  readonly attachedSeq: number;
  readonly pingAt: number;
}

/** Sends so many messages of the master's segments as a session takes them; resolves to the last record confirmed by then. */
async function receive(master: TestStore, slave: TestStore, transfer: Transfer): Promise<number> {
  const watch = new IntactWatch(slave.log, transfer.attachedSeq);
  watch.look();
  let confirmed = 0;
  const fail = (thrown: unknown): never => assert.fail(String(thrown));
  const acks = new AckSender({
    log: slave.log,
    syncBeforeAck: false,
    endOfTurn: (task) => void setImmediate(task),
    onTurn: () => watch.look(),
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
  const append = (batch: Uint8Array, { sparse }: { readonly sparse: boolean }): void => {
    slave.log.append(batch);
    if (sparse) watch.sparse();
  };
  for (let left = transfer.messages; left > 0;) {
    const shipment = master.log.ship(slave.log.end.seq);
    if (shipment === null) break;
    receiver.take({ type: 'segment', hintBytes: shipment.hintBytes });
    for (let last = false; !last && left > 0; left--) {
      const part = await shipment.next(PART_BYTES);
      ({ last } = part);
      await link.open();
      if (left % transfer.messagesATurn === 0) await turn();
      if (left === transfer.pingAt) watch.confirmed(transfer.attachedSeq);
      if (part.kind === 'hint') {
        receiver.take({ type: 'hint', bytes: part.bytes });
      } else {
        assembler.push(part.bytes, append);
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

/** An empty slave whose disk takes up to three turns for what goes on in the background. */
function emptySlave(master: TestStore, number: number): TestStore {
  const slave = new TestStore({}, async () => {
    for (let turns = 0; turns < number % 4; turns++) await turn();
  });
  slave.log.takeIndexKey(master.log.indexKey, master.log.count);
  return slave;
}

describe('segments that come whole over a link', () => {
  test('are confirmed when a killed process would not lose them any more', async () => {
    const master = await filledMaster();
    const confirmedAt: number[] = [];
    let comesMore = true;
    for (let messages = 1; comesMore; messages++) {
      const slave = emptySlave(master, messages);
      const confirmed = await receive(master, slave, { messages, messagesATurn: 7, attachedSeq: Infinity, pingAt: 0 });
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

  test('make a log intact when a killed process would not lose what makes it so', async () => {
    const master = await compactedMaster();
    let intactAtOnce = 0;
    for (const messagesATurn of [2, 3, 7]) {
      for (const attachedSeq of [310, 315, 319, 320, 335]) {
        for (let messages = 1; messages < 20; messages++) {
          const slave = emptySlave(master, messages);
          await receive(master, slave, { messages, messagesATurn, attachedSeq, pingAt: 1 + (messages % 4) });
          if (slave.log.end.seq >= attachedSeq && slave.log.state().intact) intactAtOnce += 1;
          slave.disk.kill();
          slave.open();
          const { intact, end } = slave.log.state();
          const isThere = end.seq === 0 || end.seq >= attachedSeq;
          assert.ok(isThere || !intact, `intact from ${attachedSeq} on, but only ${end.seq} records are there`);
          await slave.log.close();
        }
      }
    }
    assert.ok(intactAtOnce > 10, `${intactAtOnce} logs were intact`);
    await master.log.close();
  });
});
