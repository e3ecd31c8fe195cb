import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemScheduler } from '../../../src/kit/clock.ts';
import type { PeerHello } from '../../../src/protocol/link/messages.ts';
import { MasterSession } from '../../../src/replication/link/master-session.ts';
import { SlaveSession } from '../../../src/replication/link/slave-session.ts';
import { threadRewriter } from '../../../src/replication/log/compaction/thread-rewriter.ts';
import { DiskLog } from '../../../src/replication/log/disk-log.ts';
import { NodeDisk } from '../../../src/replication/log/node-disk.ts';
import { threadIndexBuilder } from '../../../src/replication/log/thread-index-builder.ts';
import type { LinkConnection } from '../../../src/transport/link-connection.ts';
import { dial, startListener } from '../../transport/links.ts';
import { LogWriter } from '../memory-log.ts';
import { MasterNode, SlaveNode, UNLIMITED } from './pair-of-nodes.ts';

const KiB = 1024;

function openLog(t: TestContext, name: string): DiskLog {
  const directory = mkdtempSync(join(tmpdir(), `hsctl-links-${name}-`));
  const log = DiskLog.open({
    disk: new NodeDisk(),
    directory,
    segmentBytes: 1024 * KiB,
    tombstonesMs: 60_000,
    rewriter: threadRewriter(),
    startIndexBuilder: threadIndexBuilder,
    fsyncAlways: false,
    clock: systemScheduler,
    readBackTimers: null,
    random: () => (name === 'master' ? 0.25 : 0.5),
    onTornTail: () => undefined,
    onTrouble: () => undefined,
  });
  t.after(async () => {
    await log.close();
    rmSync(directory, { recursive: true });
  });
  return log;
}

/** The node's greeting, told of its log on disk instead of the one in memory. */
function greetFrom(node: MasterNode | SlaveNode, log: DiskLog): void {
  const hello = node.hello.bind(node);
  node.hello = (): PeerHello => {
    const { end, history, aloneTo } = log.state();
    return { ...hello(), end, history, aloneTo, index: log.indexKey.store };
  };
}

test('two logs on disk over TCP: catch-up and live together, through cuts, until both hold the same', async (t) => {
  const masterLog = openLog(t, 'master');
  const slaveLog = openLog(t, 'slave');
  const writer = new LogWriter(masterLog);
  const master = new MasterNode('a');
  const slave = new SlaveNode('b');
  master.role = 'master';
  slave.role = 'slave';
  greetFrom(master, masterLog);
  greetFrom(slave, slaveLog);
  let acked = (_seq: number): void => undefined;
  master.acked = (_epoch, seq) => acked(seq);
  const endOfTurn = (task: () => void): void => void setImmediate(task);
  const shared = { silenceLimitMs: 10_000, scheduler: systemScheduler, endOfTurn };
  const accept = (link: LinkConnection, hello: PeerHello): void => {
    const session = new MasterSession({
      ...shared,
      link,
      hello,
      peer: 'b',
      log: masterLog,
      pace: UNLIMITED,
      owner: master,
    });
    master.session = session;
    session.start();
    session.attach();
  };
  const listener = await startListener(t, {
    onLink: (link, hello) => {
      if (hello.type === 'peerHello') accept(link, hello);
    },
  });
  let wholeSegments = 0;
  const expect = slaveLog.expect.bind(slaveLog);
  slaveLog.expect = (hint) => {
    expect(hint);
    if (!slaveLog.isExpecting) return;
    wholeSegments += 1;
    full = Promise.withResolvers();
    setImmediate(() => setImmediate(makeRoom));
  };
  // There is no room for more segments until some turns after each of them began.
  let full: PromiseWithResolvers<void> | null = null;
  const makeRoom = (): void => {
    full?.resolve();
    full = null;
  };
  Object.defineProperty(slaveLog, 'hasRoom', { get: () => full === null });
  slaveLog.room = async () => full?.promise;
  const append = slaveLog.append.bind(slaveLog);
  slaveLog.append = (batch) => {
    assert.equal(full, null, 'nothing is taken while there is no room');
    append(batch);
  };
  const follow = async (): Promise<{ link: LinkConnection; session: SlaveSession }> => {
    const link = await dial(t, listener.port);
    const session = new SlaveSession({
      ...shared,
      link,
      peer: 'a',
      log: slaveLog,
      syncBeforeAck: false,
      owner: slave,
    });
    session.start();
    return { link, session };
  };

  writer.reign(1);
  for (let count = 0; count < 100; count += 1) writer.write(8, 8 * KiB);
  await masterLog.sync();
  await masterLog.compact();
  const write = (): void => {
    const batch = writer.write(2, KiB);
    master.session?.appended(batch);
  };
  let timer = setImmediate(function again() {
    write();
    timer = setImmediate(again);
  });
  for (let cuts = 0; cuts < 5; cuts += 1) {
    const { link, session } = await follow();
    const enough = slaveLog.end.seq + 100;
    await new Promise<void>((resolve) => (acked = (seq) => void (seq >= enough && resolve())));
    link.close('cut by the test');
    await session.done;
  }
  const { session } = await follow();
  await new Promise<void>((resolve) => (acked = () => void (master.session?.isLevel && resolve())));
  clearImmediate(timer);
  const allAcked = new Promise<void>((resolve) => (acked = (seq) => void (seq === masterLog.end.seq && resolve())));
  write();
  await allAcked;

  assert.deepEqual(slaveLog.end, masterLog.end);
  assert.equal(slave.attaches.length, 6);
  assert.ok(
    slave.attaches.every((attach) => !attach.fromNothing),
    'resumed, not started again',
  );
  assert.deepEqual(slave.archives, []);
  assert.equal(slaveLog.count, masterLog.count);
  assert.ok(wholeSegments >= 3, `${wholeSegments} segments came whole`);
  for (let key = 0; key < 100; key += 1) {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, key + 2);
    assert.deepEqual(slaveLog.get(bytes), masterLog.get(bytes));
  }
  session.close('the test is over');
  await session.done;
});
