import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { type Scheduler, systemScheduler } from '../../../src/kit/clock.ts';
import { HsctlError } from '../../../src/kit/errors.ts';
import { startService, temporaryDirectory } from './harness.ts';
import { RawClient } from './raw-client.ts';

void suite('failures', () => {
  void test('of the disk are told to the writer, and leave no half transaction open', async (t) => {
    const { replica, connect } = await startService(t);
    const client = connect();
    replica.failure = new HsctlError('disk', 'no space left');
    assert.equal(await client.ask('SET', 'a', '1'), '-MISCONF no space left');
    assert.equal(await client.ask('MSET', 'a', '1'), '-MISCONF no space left');
    client.send(['MULTI'], ['SET', 'a', '1'], ['PING'], ['EXEC']);
    assert.deepEqual((await client.replies(4)).at(-1), ['-MISCONF no space left', 'PONG']);
    assert.equal(replica.atomic.depth, 0);
  });

  void test('that are bugs are told without their insides, and end the connection', async (t) => {
    const { replica, connect, logger } = await startService(t);
    const client = connect();
    replica.failure = new Error('secret');
    client.send(['SET', 'a', '1'], ['PING']);
    assert.deepEqual(await client.replies(1), ['-ERR internal error']);
    await client.gone();
    assert.equal(logger.warnings.length, 1);
  });

  void test('keys and values beyond the limits', async (t) => {
    const { connect, replica } = await startService(t);
    const client = connect();
    const long = 'k'.repeat(65_536);
    for (const words of [
      ['SET', long, '1'],
      ['MSET', 'a', '1', long, '1'],
    ]) {
      assert.equal(await client.ask(...words), '-ERR key is longer than 65535 bytes');
    }
    assert.deepEqual(
      [await client.ask('GET', long), await client.ask('EXISTS', long), await client.ask('DEL', long)],
      [null, 0, 0],
    );
    assert.equal(await client.ask('SET', 'k'.repeat(65_535), '1'), 'OK');
    assert.equal(replica.count(), 1);
    assert.equal(
      await client.ask('SET', 'a', '1', 'EX', '10'),
      '-ERR syntax error: EX is not supported, records do not expire',
    );
    client.socket.write('*3\r\n$3\r\nSET\r\n$1\r\na\r\n$67108865\r\n');
    assert.deepEqual(await client.replies(1), ['-ERR Protocol error: invalid bulk length']);
    await client.gone();
  });

  void test('a transaction that is too large is refused', async (t) => {
    const { connect } = await startService(t);
    const client = connect();
    client.send(
      ['MULTI'],
      ['SET', 'a', Buffer.alloc(60 * 1024 * 1024)],
      ['SET', 'b', Buffer.alloc(10 * 1024 * 1024)],
      ['EXEC'],
    );
    assert.deepEqual(await client.replies(4), [
      'OK',
      'QUEUED',
      '-ERR transaction is too large',
      '-EXECABORT Transaction discarded because of previous errors.',
    ]);
  });

  void test('a value of the largest size goes in and comes out', async (t) => {
    const { connect } = await startService(t);
    const client = connect();
    const value = Buffer.alloc(64 * 1024 * 1024, 'x');
    assert.equal(await client.ask('SET', 'a', value), 'OK');
    assert.equal(await client.ask('STRLEN', 'a'), value.length);
    assert.equal((await client.ask('GET', 'a')) === value.toString('latin1'), true);
  });
});

void suite('what clients may cost', () => {
  void test('one that does not read is given no more than a bounded number of replies, and in the end dropped', async (t) => {
    const seconds: (() => void)[] = [];
    const scheduler: Scheduler = {
      ...systemScheduler,
      every(_periodMs, task) {
        seconds.push(task);
        return { cancel() {} };
      },
    };
    const { connect, logger, replica } = await startService(t, { limits: { unreadS: 2 }, scheduler });
    const [client, other] = [connect(), connect()];
    await client.ask('SET', 'a', Buffer.alloc(100_000));
    client.socket.pause();
    client.send(...Array.from({ length: 5000 }, () => ['GET', 'a']), ['SET', 'after', '1']);
    let output = 0;
    while (output < 1024 * 1024) output = Number(/ obl=(\d+) /.exec(await other.text('CLIENT', 'LIST'))?.[1]);
    assert.ok(output < 2 * 1024 * 1024, `${output} bytes`);
    for (let second = 0; second < 4; second++) for (const task of seconds) task();
    assert.deepEqual(
      logger.warnings.map(({ fields }) => fields['reason']),
      ['does not read its replies'],
    );
    assert.equal(replica.get(Buffer.from('after')), null);
    assert.match(await other.text('INFO', 'clients'), /connected_clients:1\r/);
  });

  void test('one that reads late gets all, and its commands are done as it does', async (t) => {
    const { connect } = await startService(t);
    const client = connect();
    await client.ask('SET', 'a', Buffer.alloc(100_000));
    client.socket.pause();
    client.send(...Array.from({ length: 200 }, () => ['GET', 'a']), ['ECHO', 'end']);
    const other = connect();
    await other.ask('PING');
    client.socket.resume();
    assert.equal((await client.replies(201)).at(-1), 'end');
  });

  void test('large commands come in one after the other when there is no room for all', async (t) => {
    const { connect, replica } = await startService(t, { limits: { inputBytes: 1024 * 1024 } });
    const value = Buffer.alloc(900_000, 'x');
    const senders = Array.from({ length: 8 }, () => connect());
    for (const [number, client] of senders.entries()) client.send(['SET', `key${number}`, value]);
    for (const client of senders) assert.deepEqual(await client.replies(1), ['OK']);
    assert.equal(replica.count(), 8);
  });

  void test('a large command that does not go on while others wait ends its connection', async (t) => {
    const seconds: (() => void)[] = [];
    const scheduler: Scheduler = {
      ...systemScheduler,
      every: (_periodMs, task) => (seconds.push(task), { cancel() {} }),
    };
    const { connect, logger, replica } = await startService(t, { limits: { inputBytes: 1024 * 1024 }, scheduler });
    const [slow, other, watcher] = [connect(), connect(), connect()];
    const pass = (count: number): void => {
      for (let second = 0; second < count; second++) for (const task of seconds) task();
    };
    const heldBytes = async (): Promise<number[]> => {
      const list = await watcher.text('CLIENT', 'LIST');
      return [...list.matchAll(/ qbuf=(\d+) /g)].map(([, bytes]) => Number(bytes));
    };
    slow.socket.write(`*3\r\n$3\r\nSET\r\n$4\r\nslow\r\n$2000000\r\n${'x'.repeat(1_500_000)}`);
    while (Math.max(...(await heldBytes())) < 1_500_000);
    pass(30);
    assert.equal(slow.closed, false);
    other.send(['SET', 'other', Buffer.alloc(1_900_000, 'y')]);
    while ((await heldBytes()).filter((bytes) => bytes > 65_536).length < 2);
    pass(12);
    await slow.gone();
    assert.deepEqual(await other.replies(1), ['OK']);
    assert.equal(replica.count(), 1);
    assert.deepEqual(
      logger.warnings.map(({ fields }) => fields['reason']),
      ['its large command came to no end while others waited'],
    );
  });

  void test('a large value that is announced and does not come takes no memory', async (t) => {
    const { connect } = await startService(t);
    const watcher = connect();
    await watcher.ask('PING');
    const before = process.memoryUsage().arrayBuffers;
    const clients = Array.from({ length: 50 }, () => connect());
    for (const client of clients) client.socket.write('*3\r\n$3\r\nSET\r\n$1\r\na\r\n$67108864\r\nx');
    const announced = async (): Promise<number> =>
      [...(await watcher.text('CLIENT', 'LIST')).matchAll(/ qbuf=[1-9]/g)].length;
    while ((await announced()) < clients.length);
    const taken = process.memoryUsage().arrayBuffers - before;
    assert.ok(taken < 16 * 1024 * 1024, `${taken} bytes`);
  });

  void test('more clients than the limit are refused as Redis does', async (t) => {
    const { connect, logger } = await startService(t, { limits: { clients: 2 } });
    const [first, second, third] = [connect(), connect(), connect()];
    assert.deepEqual([await first.ask('PING'), await second.ask('PING')], ['PONG', 'PONG']);
    assert.deepEqual(await third.replies(1), ['-ERR max number of clients reached']);
    await third.gone();
    assert.equal(logger.warnings.length, 1);
    await first.close();
    await second.ask('PING');
    const fourth = connect();
    assert.equal(await fourth.ask('PING'), 'PONG');
  });

  void test('without the password little is taken', async (t) => {
    const { connect } = await startService(t, { password: 'open sesame' });
    const client = connect();
    assert.equal(await client.ask('GET', 'a'), '-NOAUTH Authentication required.');
    assert.equal(await client.ask('PING'), '-NOAUTH Authentication required.');
    assert.match(await client.text('HELLO', '3'), /^-NOAUTH HELLO must be called/);
    assert.match(await client.text('AUTH', 'wrong'), /^-WRONGPASS/);
    assert.equal(await client.ask('AUTH', 'open sesame'), 'OK');
    assert.equal(await client.ask('SET', 'a', 'x'.repeat(20_000)), 'OK');
    const other = connect();
    assert.ok((await other.ask('HELLO', '3', 'AUTH', 'default', 'open sesame')) instanceof Map);
    const third = connect();
    third.socket.write('*11\r\n');
    assert.deepEqual(await third.replies(1), ['-ERR Protocol error: unauthenticated multibulk length']);
  });
});

void suite('the socket', () => {
  void test('is closed to strangers, and gone after the end', async (t) => {
    const { path, stop, connect, replica } = await startService(t);
    assert.equal(statSync(path).mode & 0o777, 0o660);
    const client = connect();
    await client.ask('PING');
    await stop();
    await client.gone();
    assert.equal(existsSync(path), false);
    assert.equal(replica.listenerCount, 0);
  });

  void test('of an agent that was killed is taken over; that of a living one is not', async (t) => {
    const directory = temporaryDirectory(t);
    const stale = join(directory, 'stale.sock');
    const killed = createServer().listen(join(directory, 'before.sock'));
    await once(killed, 'listening');
    renameSync(join(directory, 'before.sock'), stale);
    killed.close();
    const { connect } = await startService(t, { socket: stale });
    assert.equal(await connect().ask('PING'), 'PONG');
    const taken = join(directory, 'taken.sock');
    const server = createServer().listen(taken);
    await once(server, 'listening');
    t.after(() => server.close());
    await assert.rejects(startService(t, { socket: taken }), /another process already listens on /);
  });

  void test('has its directory made; a file in its place is left alone', async (t) => {
    const directory = temporaryDirectory(t);
    const { connect } = await startService(t, { socket: join(directory, 'run', 'hsctl', 'a.sock') });
    assert.equal(await connect().ask('PING'), 'PONG');
    const file = join(directory, 'precious');
    writeFileSync(file, 'mine');
    await assert.rejects(startService(t, { socket: file }), /precious is there and is no socket/);
    assert.equal(readFileSync(file, 'utf8'), 'mine');
    await assert.rejects(startService(t, { socket: join(file, 'a.sock') }), /cannot listen on .*precious\/a\.sock: /);
  });

  void test('TCP is served where it is configured', async (t) => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const address = probe.address();
    assert.ok(typeof address === 'object' && address !== null);
    probe.close();
    await once(probe, 'close');
    const { connect } = await startService(t, { listen: { host: '127.0.0.1', port: address.port } });
    const client = connect();
    await client.ask('PING');
    const tcp = new RawClient({ host: '127.0.0.1', port: address.port });
    t.after(() => tcp.close());
    assert.match(await tcp.text('CLIENT', 'INFO'), / addr=127\.0\.0\.1:\d+ /);
  });
});
