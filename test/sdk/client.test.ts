import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import {
  CommandError,
  connect,
  type ConnectOptions,
  IndeterminateError,
  RefusedError,
  type RoleNews,
  type StateClient,
  UnavailableError,
} from '../../src/sdk/index.ts';
import { startService, temporaryDirectory } from '../agent/resp/harness.ts';
import { settled } from '../agent/resp/settled.ts';
import { Recorder } from './recorder.ts';

function clientFor(t: TestContext, options: ConnectOptions): StateClient {
  const client = connect(options);
  t.after(() => client.close());
  return client;
}

void suite('a client', () => {
  void test('sets, gets and deletes, bytes and text', async (t) => {
    const { path } = await startService(t);
    const client = clientFor(t, { socket: path });
    await client.set('name', 'J\u00f3zef');
    await client.set(Buffer.from([0, 255]), Buffer.from('\r\n'));
    assert.equal((await client.get('name'))?.toString(), 'J\u00f3zef');
    assert.deepEqual(await client.getMany([Buffer.from([0, 255]), 'none']), [Buffer.from('\r\n'), null]);
    await client.setMany(
      new Map([
        ['a', '1'],
        ['b', '2'],
      ]),
    );
    assert.equal(await client.delete('a', 'b', 'none'), 2);
    assert.equal(await client.get('a'), null);
    assert.deepEqual([await client.getMany([]), await client.delete()], [[], 0]);
    assert.equal(await client.command('ECHO', 'x').then(String), 'x');
    await assert.rejects(client.command('what'), CommandError);
  });

  void test('sends what is asked in one turn in one write', async (t) => {
    const path = join(temporaryDirectory(t), 'agent.sock');
    const pieces = new Recorder<string>();
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('data', (chunk: Buffer) => {
        pieces.add(chunk.toString());
        if (chunk.includes('HELLO')) socket.write('%0\r\n');
      });
    }).listen(path);
    await once(server, 'listening');
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const client = clientFor(t, { socket: path });
    await pieces.count(1);
    for (let round = 0; round < 20; round++) await new Promise(setImmediate);
    const writes = Array.from({ length: 100 }, (_, index) => client.set(`key${index}`, 'v'));
    for (const write of writes) write.catch(() => undefined);
    const [, requests] = await pieces.count(2);
    assert.equal(requests?.split('SET').length, 101);
  });

  void test('resolves a write only when it is confirmed', async (t) => {
    const harness = await startService(t);
    harness.replica.automatic = false;
    const client = clientFor(t, { socket: harness.path });
    const done = new Recorder<string>();
    const writing = client.set('a', '1').then(() => done.add('a'));
    while (harness.replica.writtenSeq() < 1) await new Promise(setImmediate);
    await settled(harness);
    assert.deepEqual(done.all, []);
    harness.replica.confirm();
    await writing;
  });

  void test('knows nothing of a write whose connection was lost; asks a read again', async (t) => {
    const harness = await startService(t);
    const { replica, path } = harness;
    const client = clientFor(t, { socket: path });
    await client.set('a', '1');
    replica.automatic = false;
    const [write, read] = [client.set('a', '2'), client.get('a')];
    const failed = assert.rejects(write, IndeterminateError);
    while (replica.writtenSeq() < 2) await new Promise(setImmediate);
    await settled(harness);
    replica.loseReign();
    await failed;
    replica.confirm();
    assert.equal((await read)?.toString(), '2');
  });

  void test('is told who is master when it is refused', async (t) => {
    const { replica, path, service } = await startService(t);
    replica.setGate({ state: 'refuse', error: 'READONLY this node is slave' });
    service.publishRole({ role: 'slave', epoch: 2, master: 'b' });
    const client = clientFor(t, { socket: path });
    await assert.rejects(client.set('a', '1'), (error) => error instanceof RefusedError && error.master === 'b');
    replica.refusal = 'MASTERDOWN no lease';
    await assert.rejects(client.get('a'), RefusedError);
  });

  void test('waits for an agent, but not for ever, and not with too much', async (t) => {
    const path = join(temporaryDirectory(t), 'agent.sock');
    const impatient = clientFor(t, { socket: path, waitMs: 20, requestsLimit: 2 });
    const waiting = [impatient.get('a'), impatient.set('a', '1')];
    await assert.rejects(impatient.get('b'), UnavailableError);
    for (const each of waiting) await assert.rejects(each, /no connection to the agent: .*ENOENT/);
    const patient = clientFor(t, { socket: path });
    const write = patient.set('a', '1');
    const { replica } = await startService(t, { socket: path });
    await write;
    assert.equal(replica.count(), 1);
  });

  void test('goes on with the next agent on the socket', async (t) => {
    const first = await startService(t);
    const client = clientFor(t, { socket: first.path });
    await client.set('a', '1');
    await first.stop();
    await startService(t, { socket: first.path, replica: first.replica });
    assert.equal((await client.get('a'))?.toString(), '1');
  });

  void test('fails what is under way when it is closed', async (t) => {
    const harness = await startService(t);
    harness.replica.automatic = false;
    const client = clientFor(t, { socket: harness.path });
    const write = client.set('a', '1');
    while (harness.replica.writtenSeq() < 1) await new Promise(setImmediate);
    const read = client.get('a');
    const both = [assert.rejects(write, IndeterminateError), assert.rejects(read, UnavailableError)];
    await client.close();
    await Promise.all(both);
    await assert.rejects(client.get('a'), UnavailableError);
  });

  void test('gives up an agent that talks nonsense, and says so', async (t) => {
    const path = join(temporaryDirectory(t), 'agent.sock');
    const server = createServer((socket) => socket.on('error', () => undefined).end('SSH-2.0\r\n')).listen(path);
    await once(server, 'listening');
    t.after(() => server.close());
    const client = clientFor(t, { socket: path, waitMs: 20 });
    await assert.rejects(client.get('a'), /not a reply in the Redis protocol/);
  });
});

void suite('the role', () => {
  void test('is heard at once, at each change, and is none without an agent', async (t) => {
    const first = await startService(t);
    const client = clientFor(t, { socket: first.path });
    const roles = new Recorder<string>();
    client.onRole(({ role, epoch, master }: RoleNews) => roles.add(`${role} ${epoch} ${master ?? '-'}`));
    await roles.count(2);
    first.service.publishRole({ role: 'slave', epoch: 2, master: 'b' });
    await roles.count(3);
    await first.stop();
    await roles.count(4);
    await startService(t, { socket: first.path });
    assert.deepEqual(await roles.count(5), ['none 0 -', 'master 1 a', 'slave 2 b', 'none 2 -', 'master 1 a']);
  });

  void test('of app is declared, kept by beats, and declared again to the next agent', async (t) => {
    const first = await startService(t);
    const client = clientFor(t, { socket: first.path });
    assert.throws(() => client.declareApp({ name: 'two words', heartbeatMs: 5 }), TypeError);
    client.declareApp({ name: 'game', heartbeatMs: 5 });
    await first.observer.seen(1);
    const [app] = first.observer.joined;
    assert.ok(app !== undefined);
    const before = app.requests;
    while (app.requests < before + 3) await new Promise(setImmediate);
    await first.stop();
    const second = await startService(t, { socket: first.path });
    assert.deepEqual(await second.observer.seen(1), ['joined game']);
    await client.ready(1);
    await assert.rejects(client.ready(9), CommandError);
    await client.close();
    assert.deepEqual(await second.observer.seen(3), ['joined game', 'ready 1', 'left game']);
  });
});
