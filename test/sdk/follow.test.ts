import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import { type Change, connect, type StateClient } from '../../src/sdk/index.ts';
import { startService } from '../agent/resp/harness.ts';
import { Recorder } from './recorder.ts';

function told(change: Change): string {
  if (change.type === 'reset') return 'reset';
  const key = change.key.toString();
  return change.type === 'set' ? `${change.id} ${key}=${change.value.toString()}` : `${change.id} -${key}`;
}

function clientFor(t: TestContext, socket: string): StateClient {
  const client = connect({ socket });
  t.after(() => client.close());
  return client;
}

void suite('a follower', () => {
  void test('is given the state and then each change', async (t) => {
    const { path } = await startService(t);
    const client = clientFor(t, path);
    await client.set('a', '1');
    const changes = new Recorder<string>();
    const follower = client.follow({}, (change) => changes.add(told(change)));
    await changes.count(1);
    await client.set('b', '2');
    await client.delete('a');
    assert.deepEqual(await changes.count(3), ['1-1 a=1', '1-2 b=2', '1-3 -a']);
    assert.equal(follower.position, '1-3');
    await follower.stop();
    await client.set('c', '3');
    const later = new Recorder<string>();
    client.follow({ from: follower.position }, (change) => later.add(told(change)));
    assert.deepEqual(await later.count(1), ['1-4 c=3']);
    assert.equal(changes.all.length, 3);
  });

  void test('is not hurried: the next change waits until the last one is done with', async (t) => {
    const { path } = await startService(t);
    const client = clientFor(t, path);
    await client.setMany([
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
    ]);
    let under = 0;
    const changes = new Recorder<string>();
    client.follow({}, async (change) => {
      assert.equal(++under, 1);
      await new Promise(setImmediate);
      under -= 1;
      changes.add(told(change));
    });
    assert.deepEqual(await changes.count(3), ['1-1 a=1', '1-2 b=2', '1-3 c=3']);
  });

  void test('goes on after the agent was started anew, missing and repeating nothing', async (t) => {
    const first = await startService(t);
    const client = clientFor(t, first.path);
    const changes = new Recorder<string>();
    client.follow({}, (change) => changes.add(told(change)));
    await client.set('a', '1');
    await changes.count(1);
    await first.stop();
    await startService(t, { socket: first.path, replica: first.replica });
    // A read is asked again if it meets the connection that is gone; a write is not.
    await client.get('a');
    await client.set('b', '2');
    assert.deepEqual(await changes.count(2), ['1-1 a=1', '1-2 b=2']);
  });

  void test('begins anew when the log was cut behind its back', async (t) => {
    const { path, replica } = await startService(t);
    const client = clientFor(t, path);
    await client.setMany([
      ['a', '1'],
      ['b', '2'],
    ]);
    const changes = new Recorder<string>();
    client.follow({}, (change) => changes.add(told(change)));
    await changes.count(2);
    replica.fork(1, 2);
    await client.set('c', '3');
    assert.deepEqual(await changes.count(5), ['1-1 a=1', '1-2 b=2', 'reset', '1-1 a=1', '2-3 c=3']);
  });

  void test('says when it has all, also while it waits for news, and behind a control record', async (t) => {
    const { path, replica } = await startService(t);
    const client = clientFor(t, path);
    const changes = new Recorder<string>();
    const follower = client.follow({}, (change) => changes.add(told(change)));
    await follower.drain();
    assert.deepEqual(changes.all, []);
    for (let round = 0; round < 20; round++) {
      await client.setMany(Array.from({ length: 10 }, (_, index) => [`key${index}`, String(round)]));
      if (round % 3 === 0) replica.reign(round + 2);
      await follower.drain();
      assert.equal(changes.all.length, 10 * (round + 1));
    }
    assert.equal(new Set(changes.all).size, 200);
  });

  void test('does not say so before what was written is confirmed', async (t) => {
    const { path, replica } = await startService(t);
    const client = clientFor(t, path);
    const changes = new Recorder<string>();
    const follower = client.follow({}, (change) => changes.add(told(change)));
    await follower.drain();
    replica.automatic = false;
    const writing = client.set('a', '1');
    while (replica.writtenSeq() < 1) await new Promise(setImmediate);
    const draining = follower.drain().then(() => changes.add('drained'));
    for (let round = 0; round < 50; round++) await new Promise(setImmediate);
    assert.deepEqual(changes.all, []);
    replica.confirm();
    await Promise.all([writing, draining]);
    assert.deepEqual(changes.all, ['1-1 a=1', 'drained']);
  });

  void test('ends with the error of its listener', async (t) => {
    const { path } = await startService(t);
    const client = clientFor(t, path);
    await client.set('a', '1');
    const follower = client.follow({}, () => {
      throw new Error('out of memory');
    });
    await assert.rejects(follower.done, /out of memory/);
    await assert.rejects(follower.drain(), /out of memory/);
  });
});
