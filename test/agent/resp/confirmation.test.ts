import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { HsctlError } from '../../../src/kit/errors.ts';
import { startService } from './harness.ts';
import { assertSilent, settled } from './settled.ts';

void suite('replies wait for what they tell of', () => {
  void test('a write until it is confirmed, in the order of the commands', async (t) => {
    const harness = await startService(t);
    const { replica, connect } = harness;
    replica.automatic = false;
    const client = connect();
    client.send(['PING']);
    assert.deepEqual(await client.replies(1), ['PONG']);
    client.send(['SET', 'a', '1']);
    await assertSilent(harness, client);
    client.send(['PING'], ['SET', 'b', '2']);
    await assertSilent(harness, client);
    replica.confirm(1);
    assert.deepEqual(await client.replies(1), ['OK']);
    await assertSilent(harness, client);
    replica.confirm(2);
    assert.deepEqual(await client.replies(2), ['PONG', 'OK']);
  });

  void test('a read until all that was written before it is confirmed, whoever wrote it', async (t) => {
    const harness = await startService(t);
    const { replica, connect } = harness;
    const [writer, reader] = [connect(), connect()];
    await writer.ask('SET', 'a', 'old');
    replica.automatic = false;
    writer.send(['SET', 'a', 'new']);
    await assertSilent(harness, writer);
    for (const words of [
      ['GET', 'a'],
      ['EXISTS', 'a'],
      ['DBSIZE'],
      ['SCAN', '0'],
      ['DEL', 'none'],
      ['SET', 'a', '1', 'NX'],
      ['XLEN', 'hs:log'],
    ]) {
      reader.send(words);
    }
    await assertSilent(harness, reader);
    replica.confirm();
    assert.deepEqual(await reader.replies(7), ['new', 1, 1, ['0', ['a']], 0, null, 2]);
  });

  void test('but nothing else does', async (t) => {
    const harness = await startService(t);
    const { replica, connect } = harness;
    replica.automatic = false;
    const [writer, other] = [connect(), connect()];
    writer.send(['SET', 'a', '1']);
    await assertSilent(harness, writer);
    assert.deepEqual(await other.ask('HS', 'ROLE'), ['master', 1, 'a']);
    assert.equal(await other.ask('PING'), 'PONG');
    assert.match(await other.text('INFO'), /\nconfirmed_seq:0\r/);
  });

  void test('of one turn go out in one piece', async (t) => {
    const { replica, connect } = await startService(t);
    replica.automatic = false;
    const client = connect();
    await client.ask('PING');
    const pieces: number[] = [];
    client.socket.on('data', (chunk: Buffer) => pieces.push(chunk.length));
    client.send(...Array.from({ length: 500 }, (_, index) => ['SET', `key${index}`, 'value']));
    while (replica.writtenSeq() < 500) await new Promise(setImmediate);
    replica.confirm();
    assert.deepEqual(
      await client.replies(500),
      Array.from({ length: 500 }, () => 'OK'),
    );
    assert.deepEqual(pieces, [2500]);
  });

  void test('and a reign that ends closes those that wait, and only those', async (t) => {
    const harness = await startService(t);
    const { replica, connect } = harness;
    const [writer, reader, idle] = [connect(), connect(), connect()];
    await idle.ask('SET', 'before', '1');
    replica.automatic = false;
    writer.send(['SET', 'a', '1']);
    await assertSilent(harness, writer);
    reader.send(['GET', 'a']);
    await assertSilent(harness, reader);
    replica.loseReign();
    await Promise.all([writer.gone(), reader.gone()]);
    assert.equal(await idle.ask('PING'), 'PONG');
  });

  void test('are not sent to the client whose own write ended the reign', async (t) => {
    const { replica, connect } = await startService(t);
    const [writer, other] = [connect(), connect()];
    assert.deepEqual([await writer.ask('PING'), await other.ask('PING')], ['PONG', 'PONG']);
    const set = replica.set.bind(replica);
    replica.set = (...place) => {
      replica.loseReign();
      return set(...place);
    };
    writer.send(['GET', 'a'], ['SET', 'a', '1'], ['PING']);
    await assert.rejects(writer.replies(1), /closed after \[\]/);
    assert.equal(await other.ask('PING'), 'PONG');
  });

  void test('but the client whose read ended the reign is told why, unless it had written too', async (t) => {
    const { replica, connect } = await startService(t);
    const [reader, both] = [connect(), connect()];
    await reader.ask('SET', 'a', '1');
    assert.equal(await both.ask('GET', 'a'), '1');
    replica.get = () => {
      replica.loseReign();
      throw new HsctlError('disk', '1.log is damaged at byte 48', 'Nothing.');
    };
    reader.send(['GET', 'a'], ['PING']);
    assert.deepEqual(await reader.replies(2), ['-ERR 1.log is damaged at byte 48', 'PONG']);
    both.send(['SET', 'b', '1'], ['GET', 'a'], ['PING']);
    await assert.rejects(both.replies(1), /closed after \[\]/);
    assert.equal(await reader.ask('PING'), 'PONG');
  });
});

void suite('the gate', () => {
  void test('held writes wait, with what comes behind them, and are done when it opens', async (t) => {
    const harness = await startService(t);
    const { replica, connect } = harness;
    replica.setGate({ state: 'hold' });
    const [client, reader] = [connect(), connect()];
    client.send(['GET', 'a'], ['SET', 'a', '1'], ['GET', 'a']);
    assert.deepEqual(await client.replies(1), [null]);
    await assertSilent(harness, client);
    assert.equal(await reader.ask('GET', 'a'), null);
    replica.setGate({ state: 'hold' });
    await assertSilent(harness, client);
    assert.equal(replica.writtenSeq(), 0);
    replica.setGate({ state: 'open' });
    assert.deepEqual(await client.replies(2), ['OK', '1']);
  });

  void test('held writes are refused when it closes, and the connection lives on', async (t) => {
    const harness = await startService(t);
    const { replica, connect } = harness;
    replica.setGate({ state: 'hold' });
    const client = connect();
    client.send(['SET', 'a', '1'], ['PING']);
    await assertSilent(harness, client);
    replica.setGate({ state: 'refuse', error: 'READONLY b is master' });
    assert.deepEqual(await client.replies(2), ['-READONLY b is master', 'PONG']);
    assert.equal(await client.ask('DEL', 'a'), '-READONLY b is master');
    assert.equal(await client.ask('MSET', 'a', '1'), '-READONLY b is master');
    assert.equal(await client.ask('GET', 'a'), null);
  });

  void test('a held client that goes has written nothing', async (t) => {
    const harness = await startService(t);
    const { replica, connect, observer } = harness;
    replica.setGate({ state: 'hold' });
    const client = connect();
    client.send(['HS', 'APP'], ['SET', 'a', '1']);
    assert.deepEqual(await client.replies(1), ['OK']);
    await client.close();
    assert.deepEqual(await observer.seen(2), ['joined ', 'left ']);
    replica.setGate({ state: 'open' });
    await settled(harness);
    assert.equal(replica.writtenSeq(), 0);
  });

  void test('reads are refused with the reason given', async (t) => {
    const { replica, connect } = await startService(t);
    replica.refusal = 'MASTERDOWN no lease';
    const client = connect();
    assert.equal(await client.ask('GET', 'a'), '-MASTERDOWN no lease');
    assert.equal(await client.ask('SET', 'a', '1'), 'OK');
  });

  void test('a transaction is held, refused or done as a whole', async (t) => {
    const harness = await startService(t);
    const { replica, connect } = harness;
    const client = connect();
    client.send(['MULTI'], ['SET', 'a', '1'], ['DEL', 'a'], ['GET', 'a']);
    assert.deepEqual(await client.replies(4), ['OK', 'QUEUED', 'QUEUED', 'QUEUED']);
    replica.setGate({ state: 'hold' });
    client.send(['EXEC']);
    await assertSilent(harness, client);
    replica.setGate({ state: 'open' });
    assert.deepEqual(await client.replies(1), [['OK', 1, null]]);
    assert.deepEqual(replica.atomic, { begun: 1, depth: 0 });

    client.send(['MULTI'], ['SET', 'a', '1']);
    await client.replies(2);
    replica.setGate({ state: 'refuse', error: 'READONLY b is master' });
    assert.equal(await client.ask('EXEC'), '-EXECABORT Transaction discarded because of: READONLY b is master');
    assert.equal(await client.ask('EXEC'), '-ERR EXEC without MULTI');
    client.send(['MULTI'], ['SET', 'a', '1'], ['EXEC']);
    assert.deepEqual(await client.replies(3), [
      'OK',
      '-READONLY b is master',
      '-EXECABORT Transaction discarded because of previous errors.',
    ]);
  });

  void test('several keys are written as one batch', async (t) => {
    const { replica, connect } = await startService(t);
    const client = connect();
    await client.ask('MSET', 'a', '1', 'b', '2');
    await client.ask('DEL', 'a', 'b');
    assert.deepEqual(replica.atomic, { begun: 2, depth: 0 });
  });
});

void suite('WAIT', () => {
  void test('tells how many hold the last write, once it is confirmed', async (t) => {
    const harness = await startService(t);
    const { connect, replica, service } = harness;
    const client = connect();
    assert.equal(await client.ask('WAIT', '0', '0'), 1);
    replica.automatic = false;
    client.send(['SET', 'a', '1'], ['WAIT', '1', '0']);
    await assertSilent(harness, client);
    replica.confirm();
    assert.deepEqual(await client.replies(2), ['OK', 1]);
    replica.holderCount = 0;
    assert.equal(await client.ask('WAIT', '1', '1'), 0);
    client.send(['WAIT', '1', '0'], ['PING']);
    await assertSilent(harness, client);
    replica.holderCount = 1;
    replica.confirm();
    assert.deepEqual(await client.replies(2), [1, 'PONG']);
    service.publishRole({ role: 'slave', epoch: 2, master: 'b' });
    assert.match(await client.text('WAIT', '0', '0'), /^-ERR WAIT cannot be used with replica instances/);
  });
});
