import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { VALUE_LIMIT_BYTES } from '../../../src/protocol/batch/layout.ts';
import { startService, temporaryDirectory } from './harness.ts';

/** Clients of Redis that know nothing of hsctl. */

const run = promisify(execFile);
const TIME_LIMIT = { timeout: 60_000 };

void suite('unmodified', () => {
  void test('redis-cli', async (t) => {
    const { path, service } = await startService(t);
    const ask = async (...words: string[]): Promise<string> =>
      (await run('redis-cli', ['-s', path, ...words], TIME_LIMIT)).stdout;
    assert.equal(await ask('SET', 'a', '1'), 'OK\n');
    assert.equal(await ask('-3', 'GET', 'a'), '1\n');
    assert.equal(await ask('--scan', '--pattern', 'a*'), 'a\n');
    assert.equal(await ask('HS', 'ROLE'), 'master\n1\na\n');
    assert.match(await ask('INFO', 'replication'), /^# Replication\r\nrole:master/);
    assert.match(await ask('-3', 'COMMAND', 'DOCS', 'get'), /summary/);
    assert.match(
      await ask('--csv', 'XREAD', 'STREAMS', 'hs:log', '0-0'),
      /"1-1","op","set","key","a","value","1"|"1-1"/,
    );
    service.publishRole({ role: 'slave', epoch: 2, master: 'b' });
    assert.match(await ask('ROLE'), /^slave\n127\.0\.0\.1\n7402\nconnected\n/);
  });

  void test('redis-cli, interactive and piped', async (t) => {
    const { path } = await startService(t);
    const typed = run('redis-cli', ['-s', path], TIME_LIMIT);
    typed.child.stdin?.end('SET "a b" "c\\nd"\nGET "a b"\nHELP GET\n');
    assert.match((await typed).stdout, /^OK\nc\nd\n/);
    const piped = run('redis-cli', ['-s', path, '--pipe'], TIME_LIMIT);
    piped.child.stdin?.end(
      Array.from(
        { length: 1000 },
        (_, index) => `*3\r\n$3\r\nSET\r\n$5\r\nk${String(index).padStart(4, '0')}\r\n$1\r\nv\r\n`,
      ).join(''),
    );
    assert.match((await piped).stdout, /errors: 0, replies: 1000/);
  });

  void test('redis-benchmark', async (t) => {
    const { path, replica } = await startService(t);
    const { stdout } = await run(
      'redis-benchmark',
      ['-s', path, '-t', 'set,get', '-n', '20000', '-P', '16', '-r', '1000', '-d', '100', '--csv'],
      TIME_LIMIT,
    );
    assert.match(stdout, /"SET","\d+/);
    assert.match(stdout, /"GET","\d+/);
    assert.equal(replica.writtenSeq(), 20_000);
  });

  void test('node-redis', async (t) => {
    const { path, service } = await startService(t);
    for (const RESP of [2, 3] as const) {
      service.publishRole({ role: 'master', epoch: RESP, master: 'a' });
      const client = createClient({ socket: { path, tls: false }, RESP });
      client.on('error', () => undefined);
      await client.connect();
      assert.equal(await client.set('a', '1'), 'OK');
      assert.equal(await client.get('a'), '1');
      assert.deepEqual(await client.mGet(['a', 'none']), ['1', null]);
      assert.deepEqual(
        await Promise.all(Array.from({ length: 100 }, (_, index) => client.set(`k${index}`, index))),
        Array.from({ length: 100 }, () => 'OK'),
      );
      assert.deepEqual(await client.multi().set('m', '1').get('m').del('m').exec(), ['OK', '1', 1]);
      assert.equal(await client.exists(['a', 'm']), 1);
      const keys: string[] = [];
      for await (const found of client.scanIterator({ MATCH: 'k1*' })) keys.push(...found);
      assert.equal(keys.length, 11);
      assert.equal(await client.wait(1, 0), 1);
      const log = (await client.xRead({ key: 'hs:log', id: '0-0' }, { COUNT: 1 })) as
        | { messages: { id: string; message: Record<string, string> }[] }[]
        | null;
      assert.deepEqual({ ...log?.[0]?.messages[0]?.message }, { op: 'set', key: 'a', value: '1' });
      const subscriber = client.duplicate();
      subscriber.on('error', () => undefined);
      await subscriber.connect();
      const messages: string[] = [];
      const two = Promise.withResolvers<void>();
      await subscriber.subscribe('hs:role', (message) => {
        messages.push(message);
        if (messages.length === 2) two.resolve();
      });
      service.publishRole({ role: 'none', epoch: RESP, master: null });
      await two.promise;
      assert.equal(messages[1], `none ${RESP} -`);
      await subscriber.close();
      await client.close();
    }
  });

  void test('ioredis', async (t) => {
    const { path, service } = await startService(t);
    const client = new Redis(path, { enableAutoPipelining: true });
    const subscriber = client.duplicate();
    t.after(() => {
      client.disconnect();
      subscriber.disconnect();
    });
    assert.equal(await client.set('a', '1'), 'OK');
    assert.deepEqual(await Promise.all([client.get('a'), client.get('none'), client.strlen('a')]), ['1', null, 1]);
    assert.deepEqual(await client.multi().set('m', '1').get('m').exec(), [
      [null, 'OK'],
      [null, '1'],
    ]);
    assert.deepEqual(await client.call('HS', 'ROLE'), ['master', 1, 'a']);
    assert.equal(await client.wait(1, 0), 1);
    const log = await client.xread('COUNT', 1, 'STREAMS', 'hs:log', '0-0');
    assert.deepEqual(log?.[0]?.[1][0], ['1-1', ['op', 'set', 'key', 'a', 'value', '1']]);
    const heard = new Promise<string>((resolve) => {
      subscriber.on('message', (_channel, message: string) => {
        if (message.startsWith('none')) resolve(message);
      });
    });
    await subscriber.subscribe('hs:role');
    service.publishRole({ role: 'none', epoch: 3, master: null });
    assert.equal(await heard, 'none 3 -');
    await assert.rejects(client.call('what'), /^ReplyError: ERR unknown command 'what'/);
  });

  void test('each of them with values of the largest size', async (t) => {
    const { path, replica } = await startService(t);
    const value = Buffer.alloc(VALUE_LIMIT_BYTES, 'largest-');
    const held = (key: string): boolean => value.equals(replica.get(Buffer.from(key)) ?? new Uint8Array(0));

    const typed = run('redis-cli', ['-s', path, '-x', 'SET', 'cli'], TIME_LIMIT);
    typed.child.stdin?.end(value);
    assert.equal((await typed).stdout, 'OK\n');
    assert.ok(held('cli'));
    const printed = await run('redis-cli', ['-s', path, '--raw', 'GET', 'cli'], { ...TIME_LIMIT, maxBuffer: 2 ** 27 });
    assert.equal(printed.stdout.length, value.length + 1);

    const ioredis = new Redis(path);
    t.after(() => ioredis.disconnect());
    assert.equal(await ioredis.set('ioredis', value), 'OK');
    assert.ok(held('ioredis'));
    assert.ok((await ioredis.getBuffer('ioredis'))?.equals(value));

    const client = createClient({ socket: { path, tls: false } });
    client.on('error', () => undefined);
    await client.connect();
    assert.equal(await client.set('node-redis', value), 'OK');
    assert.ok(held('node-redis'));
    assert.equal(await client.strLen('node-redis'), value.length);
    await client.close();
  });

  void test('hiredis', async (t) => {
    const { path } = await startService(t);
    const program = join(temporaryDirectory(t), 'hiredis-client');
    const source = join(import.meta.dirname, 'fixtures', 'hiredis-client.c');
    await run('cc', ['-Wall', '-Werror', '-o', program, source, '-lhiredis'], TIME_LIMIT);
    const { stdout } = await run(program, [path], TIME_LIMIT);
    assert.deepEqual(stdout.trim().split('\n'), [
      'set OK',
      'get 3 0',
      'pipelined 1000',
      'role master 1',
      'log 1-1 friend:1',
      'message master 1 a',
    ]);
  });
});
