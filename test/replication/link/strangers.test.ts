import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { HsctlError } from '../../../src/kit/errors.ts';
import type { Attach, LinkMessage, PeerHello } from '../../../src/protocol/link/messages.ts';
import { levelPair, PairOfNodes } from './pair-of-nodes.ts';

suite('who is on the link', () => {
  const strangers: [string, Partial<PeerHello>, string, RegExp][] = [
    ['of another cluster', { cluster: 'realm-8' }, 'identity', /belongs to realm-8\/world/],
    ['of another group', { group: 'tasks' }, 'identity', /belongs to realm-7\/tasks/],
    ['with another name', { node: 'c' }, 'identity', /says it is node c, node a expects node b/],
    ['of a later version', { versions: { oldest: 2, newest: 3 } }, 'version', /speaks link versions 2 to 3/],
  ];
  for (const [who, change, code, pattern] of strangers) {
    test(`a peer ${who} is refused`, async () => {
      const pair = new PairOfNodes();
      const { slave } = pair;
      const hello = slave.hello.bind(slave);
      slave.hello = () => ({ ...hello(), ...change });
      void pair.start();
      await pair.scheduler.advance(15);
      assert.equal(pair.master.refusals[0]?.code, code);
      assert.match(slave.refusals[0]?.reason ?? '', pattern);
      assert.deepEqual(pair.master.hellos, [], 'its word counts for nothing');
      pair.stop();
    });
  }

  test('messages in the wrong direction or at the wrong time end the link', async () => {
    const attach: Attach = {
      type: 'attach',
      epoch: 1,
      fork: { epoch: 0, seq: 0, hash: 0 },
      end: { epoch: 0, seq: 0, hash: 0 },
      catchUpBytes: 0,
      fromNothing: false,
      index: null,
    };
    const ping: LinkMessage = { type: 'ping', sentAtMs: 1, epoch: 1, confirmedSeq: 0, wantsLease: true };
    for (const [end, message] of [
      ['dialler', ping],
      ['dialler', attach],
      ['acceptor', attach],
      ['acceptor', { type: 'ack', epoch: 1, seq: 1 }],
    ] as const) {
      const pair = await levelPair();
      pair.link[end].send(message);
      await pair.scheduler.advance(15);
      assert.equal(pair.link.dialler.closeReason !== null, true, `${message.type} by the ${end}`);
      pair.stop();
    }
  });

  test('a first confirmation of another place than the fork ends the link', async () => {
    const pair = new PairOfNodes();
    pair.master.writer.reign(1);
    void pair.start();
    await pair.scheduler.advance(0);
    pair.slave.mayFollow = () => {
      pair.link.dialler.send({ type: 'ack', epoch: 1, seq: 1 });
      return null;
    };
    await pair.scheduler.advance(10);
    assert.match(pair.master.ends[0]?.reason ?? '', /first confirmation is of record 1 instead of 0/);
    pair.stop();
  });

  test('log bytes that are no batch end the link and change nothing', async () => {
    const pair = await levelPair();
    const before = pair.slave.log.bytes;
    pair.link.acceptor.send({ type: 'batch', bytes: new Uint8Array(100) });
    await pair.scheduler.advance(15);
    assert.deepEqual(pair.slave.log.bytes, before);
    assert.match(pair.slave.ends[0]?.reason ?? '', /no batch starts here/);
    assert.equal(pair.slave.ends[0]?.failure, null);
    await pair.untilLevel();
    pair.stop();
  });
});

suite('disks that fail', () => {
  test("the slave's: it says so, and confirms nothing more", async () => {
    const pair = await levelPair();
    const confirmed = pair.master.session?.ackedSeq;
    pair.slave.log.failure = new HsctlError('disk', 'log-1: no space left');
    pair.master.write(1, 10);
    await pair.scheduler.advance(15);
    assert.equal(pair.slave.ends[0]?.failure, pair.slave.log.failure);
    assert.equal(pair.master.acks.at(-1)?.seq, confirmed);
    pair.stop();
  });

  test("the master's: the link is closed and the owner told", async () => {
    const pair = new PairOfNodes();
    pair.master.writer.reign(1);
    pair.master.log.damaged = true;
    void pair.start();
    await pair.scheduler.advance(15);
    assert.equal(pair.master.ends[0]?.failure?.code, 'disk');
    pair.stop();
  });
});
