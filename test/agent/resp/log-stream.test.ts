import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Harness, startService } from './harness.ts';
import type { Plain, RawClient } from './raw-client.ts';
import { assertSilent } from './settled.ts';

type Entry = readonly [id: string, fields: readonly string[]];

const set = (id: string, key: string, value: string): Entry => [id, ['op', 'set', 'key', key, 'value', value]];
const del = (id: string, key: string): Entry => [id, ['op', 'del', 'key', key]];
const stream = (...entries: readonly Entry[]): unknown => [['hs:log', entries]];
const read = (client: RawClient, id: string): Promise<Plain> => client.ask('XREAD', 'STREAMS', 'hs:log', id);

/** Two records of epoch 1, the beginning of epoch 5, one record of it. */
async function withTwoReigns(harness: Harness): Promise<RawClient> {
  const client = harness.connect();
  await client.ask('SET', 'a', '1');
  await client.ask('SET', 'b', '2');
  harness.replica.reign(5);
  await client.ask('DEL', 'a');
  return client;
}

void suite('XREAD of hs:log', () => {
  void test('gives all from the beginning, then what comes behind an id', async (t) => {
    const client = await withTwoReigns(await startService(t));
    assert.deepEqual(await read(client, '0-0'), stream(set('1-1', 'a', '1'), set('1-2', 'b', '2'), del('5-4', 'a')));
    assert.deepEqual(await read(client, '0'), stream(set('1-1', 'a', '1'), set('1-2', 'b', '2'), del('5-4', 'a')));
    assert.deepEqual(await read(client, '1-1'), stream(set('1-2', 'b', '2'), del('5-4', 'a')));
    assert.deepEqual(await read(client, '1-2'), stream(del('5-4', 'a')));
    assert.deepEqual(await read(client, '5-3'), stream(del('5-4', 'a')));
    assert.deepEqual(await read(client, '5'), stream(del('5-4', 'a')));
    assert.equal(await read(client, '5-4'), null);
    assert.equal(await read(client, '9'), null);
    assert.deepEqual(await client.ask('XREAD', 'COUNT', '1', 'STREAMS', 'hs:log', '1-1'), stream(set('1-2', 'b', '2')));
  });

  void test('gives a map to RESP3', async (t) => {
    const client = await withTwoReigns(await startService(t));
    await client.ask('HELLO', '3');
    assert.deepEqual(await read(client, '1-2'), new Map([['hs:log', [del('5-4', 'a')]]]));
  });

  void test('shows nothing that is not confirmed, and waits for it', async (t) => {
    const harness = await startService(t);
    const { replica, connect } = harness;
    replica.automatic = false;
    const [writer, follower, late] = [connect(), connect(), connect()];
    writer.send(['SET', 'a', '1']);
    await assertSilent(harness, writer);
    follower.send(['XREAD', 'BLOCK', '0', 'STREAMS', 'hs:log', '0-0'], ['PING']);
    late.send(['XREAD', 'BLOCK', '0', 'STREAMS', 'hs:log', '$']);
    await assertSilent(harness, follower);
    assert.equal(await read(connect(), '0-0'), null);
    replica.confirm();
    assert.deepEqual(await follower.replies(2), [stream(set('1-1', 'a', '1')), 'PONG']);
    assert.deepEqual(await late.replies(1), [stream(set('1-1', 'a', '1'))]);
  });

  void test('goes on behind control records alone', async (t) => {
    const harness = await startService(t);
    const client = await withTwoReigns(harness);
    harness.replica.reign(6);
    harness.replica.reign(7);
    const writer = harness.connect();
    client.send(['XREAD', 'BLOCK', '0', 'STREAMS', 'hs:log', '5-4']);
    await assertSilent(harness, client);
    await writer.ask('SET', 'c', '3');
    assert.deepEqual(await client.replies(1), [stream(set('7-7', 'c', '3'))]);
  });

  void test('answers nothing when its time is over', async (t) => {
    const { connect } = await startService(t);
    const client = connect();
    assert.equal(await client.ask('XREAD', 'BLOCK', '1', 'STREAMS', 'hs:log', '$'), null);
  });

  void test('of many followers gives each all, at its own pace', async (t) => {
    const { connect } = await startService(t);
    const followers = Array.from({ length: 20 }, (_, index) => ({ client: connect(), count: String(1 + index) }));
    const writer = connect();
    const follow = async ({ client, count }: { client: RawClient; count: string }): Promise<string[]> => {
      const values: string[] = [];
      let id = '0-0';
      while (values.length < 300) {
        const reply = await client.ask('XREAD', 'COUNT', count, 'BLOCK', '0', 'STREAMS', 'hs:log', id);
        const [[, entries]] = reply as unknown as [[string, Entry[]]];
        for (const [entryId, fields] of entries) {
          id = entryId;
          values.push(fields[5] ?? '');
        }
      }
      return values;
    };
    const following = followers.map(follow);
    for (let round = 0; round < 300; round++) await writer.ask('SET', `key${round % 7}`, String(round));
    const expected = Array.from({ length: 300 }, (_, round) => String(round));
    for (const values of await Promise.all(following)) assert.deepEqual(values, expected);
  });

  void test('ends with its client', async (t) => {
    const harness = await startService(t);
    const client = harness.connect();
    client.send(['XREAD', 'BLOCK', '0', 'STREAMS', 'hs:log', '$']);
    await assertSilent(harness, client);
    await client.close();
    const other = harness.connect();
    let blocked = '';
    while (blocked !== '0') blocked = /blocked_clients:(\d+)/.exec(await other.text('INFO', 'clients'))?.[1] ?? '';
  });

  void test('tells a reader of a log that was cut to begin anew', async (t) => {
    const harness = await startService(t);
    const client = await withTwoReigns(harness);
    const forked = /^-FORKED .* read from 0-0$/;
    assert.match(await client.text('XREAD', 'STREAMS', 'hs:log', '1-4'), forked);
    assert.match(await client.text('XREAD', 'STREAMS', 'hs:log', '1-9'), forked);
    assert.match(await client.text('XREAD', 'STREAMS', 'hs:log', '3-2'), forked);
    assert.match(await client.text('XREAD', 'STREAMS', 'hs:log', '7-2'), forked);
    // Ahead of this log, which may yet come to hold what the reader has.
    assert.equal(await read(client, '5-9'), null);
    assert.equal(await read(client, '8-9'), null);
    // One who waits learns it too.
    client.send(['XREAD', 'BLOCK', '0', 'STREAMS', 'hs:log', '5-4']);
    await assertSilent(harness, client);
    harness.replica.fork(2, 6);
    const [told] = await client.replies(1);
    assert.match(typeof told === 'string' ? told : 'entries', forked);
    assert.equal(await read(client, '1-2'), null);
  });

  void test('tells a reader that was away for so long that deletes are forgotten', async (t) => {
    const harness = await startService(t);
    const first = await withTwoReigns(harness);
    harness.replica.resumableFrom = 3;
    assert.match(await first.text('XREAD', 'STREAMS', 'hs:log', '1-2'), /^-FORKED 1-2 is so old/);
    // One that reads from the beginning passes through such old places.
    await first.ask('XREAD', 'COUNT', '1', 'STREAMS', 'hs:log', '0-0');
    assert.deepEqual(await read(first, '1-1'), stream(set('1-2', 'b', '2'), del('5-4', 'a')));
    harness.replica.resumableFrom = 4;
    assert.match(await first.text('XREAD', 'STREAMS', 'hs:log', '1-1'), /^-FORKED 1-1 is so old/);
    assert.equal(await read(first, '5-4'), null);
  });
});

void suite('XRANGE, XLEN and XINFO of hs:log', () => {
  void test('give parts of the log and its length', async (t) => {
    const client = await withTwoReigns(await startService(t));
    const [a, b, c] = [set('1-1', 'a', '1'), set('1-2', 'b', '2'), del('5-4', 'a')];
    const range = (...words: readonly string[]): Promise<Plain> => client.ask('XRANGE', 'hs:log', ...words);
    assert.deepEqual(await range('-', '+'), [a, b, c]);
    assert.deepEqual(await range('-', '+', 'COUNT', '2'), [a, b]);
    assert.deepEqual(await range('1-2', '1-2'), [b]);
    assert.deepEqual(await range('(1-1', '(5-4'), [b]);
    assert.deepEqual(await range('1', '1'), [a, b]);
    assert.deepEqual(await range('2', '+'), [c]);
    assert.deepEqual(await range('5-4', '1-1'), []);
    assert.equal(await range('-', '+', 'COUNT', '0'), null);
    assert.equal(await client.ask('XLEN', 'hs:log'), 4);
    const info = await client.ask('XINFO', 'STREAM', 'hs:log');
    assert.deepEqual(Array.isArray(info) ? info.slice(0, 4) : info, ['length', 4, 'last-generated-id', '5-4']);
  });

  void test('refuse what is too much for one reply', async (t) => {
    const { connect } = await startService(t);
    const client = connect();
    for (let round = 0; round < 5; round++) await client.ask('SET', `key${round}`, Buffer.alloc(5_000_000));
    assert.match(await client.text('XRANGE', 'hs:log', '-', '+'), /^-ERR too many entries/);
    const some = await client.ask('XRANGE', 'hs:log', '-', '+', 'COUNT', '2');
    assert.equal(Array.isArray(some) ? some.length : 0, 2);
  });
});
