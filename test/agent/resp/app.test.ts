import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { startService } from './harness.ts';
import { assertSilent, settled } from './settled.ts';

void suite('the app', () => {
  void test('is known by HS APP, beats with every request, and is gone with its connection', async (t) => {
    const { connect, observer } = await startService(t);
    const app = connect();
    assert.equal(await app.ask('HS', 'APP', 'friends'), 'OK');
    assert.equal(await app.ask('HS', 'APP', 'friends'), 'OK');
    const [joined] = observer.joined;
    const before = joined?.requests ?? 0;
    await app.ask('PING');
    assert.equal(joined?.requests, before + 1);
    assert.equal(joined.stalled, false);
    const other = connect();
    await other.ask('PING');
    await other.close();
    await app.close();
    assert.deepEqual(await observer.seen(2), ['joined friends', 'left friends']);
  });

  void test('counts as gone as soon as it closes its side, whatever it waits for', async (t) => {
    const harness = await startService(t);
    const { connect, observer, replica } = harness;
    replica.automatic = false;
    const [writing, reading] = [connect(), connect()];
    writing.send(['HS', 'APP', 'writing'], ['SET', 'a', '1']);
    reading.send(['HS', 'APP', 'reading'], ['XREAD', 'BLOCK', '0', 'STREAMS', 'hs:log', '0-0']);
    await observer.seen(2);
    writing.socket.end();
    await observer.seen(3);
    reading.socket.end();
    assert.deepEqual((await observer.seen(4)).slice(2), ['left writing', 'left reading']);
  });

  void test('is stalled, not silent, while the service does not read from it', async (t) => {
    const harness = await startService(t);
    const { connect, observer, replica } = harness;
    replica.setGate({ state: 'hold' });
    const app = connect();
    app.send(['HS', 'APP'], ['SET', 'a', '1']);
    await observer.seen(1);
    await settled(harness);
    assert.equal(observer.joined[0]?.stalled, true);
    replica.setGate({ state: 'open' });
    await app.replies(2);
    assert.equal(observer.joined[0].stalled, false);
  });

  void test('says that it is ready, and is told if that was not asked', async (t) => {
    const { connect, observer } = await startService(t);
    const client = connect();
    observer.epoch = 7;
    assert.equal(await client.ask('HS', 'READY', '6'), '-ERR epoch 6 is not the present one');
    assert.equal(await client.ask('HS', 'READY', 'x'), '-ERR epoch is not a positive integer');
    assert.equal(await client.ask('HS', 'READY', '7'), 'OK');
    assert.deepEqual(observer.events, ['ready 7']);
  });

  void test('is told whether its node serves at this moment, once all that was written before is confirmed', async (t) => {
    const harness = await startService(t);
    const { connect, service, replica } = harness;
    service.publishRole({ role: 'master', epoch: 7, master: 'a' });
    const client = connect();
    assert.equal(await client.ask('HS', 'SERVES', '7'), 'OK');
    assert.match(await client.text('HS', 'SERVES', '6'), /^-READONLY /);
    assert.equal(await client.ask('HS', 'SERVES', '0'), '-ERR epoch is not a positive integer');
    replica.automatic = false;
    const writer = connect();
    writer.send(['SET', 'a', '1']);
    await assertSilent(harness, writer);
    client.send(['HS', 'SERVES', '7']);
    await assertSilent(harness, client);
    replica.confirm();
    assert.deepEqual(await client.replies(1), ['OK']);
    replica.refusal = 'MASTERDOWN no lease';
    assert.equal(await client.ask('HS', 'SERVES', '7'), '-MASTERDOWN no lease');
    replica.refusal = null;
    service.publishRole({ role: 'slave', epoch: 8, master: 'b' });
    assert.equal(await client.ask('GET', 'a'), '1');
    assert.match(await client.text('HS', 'SERVES', '7'), /^-READONLY this node is slave in epoch 8/);
    assert.match(await client.text('HS', 'SERVES', '8'), /^-READONLY /);
  });

  void test('learns the role at once and at each change', async (t) => {
    const { connect, service } = await startService(t);
    for (const version of ['2', '3']) {
      service.publishRole({ role: 'slave', epoch: 1, master: 'b' });
      const client = connect();
      await client.ask('HELLO', version);
      client.send(['SUBSCRIBE', 'hs:role', 'another']);
      const wrap = (...message: (string | number)[]): unknown => (version === '3' ? { push: message } : message);
      assert.deepEqual(await client.replies(3), [
        wrap('subscribe', 'hs:role', 1),
        wrap('subscribe', 'another', 2),
        wrap('message', 'hs:role', 'slave 1 b'),
      ]);
      service.publishRole({ role: 'none', epoch: 2, master: null });
      service.publishRole({ role: 'none', epoch: 2, master: null });
      service.publishRole({ role: 'master', epoch: 2, master: 'a' });
      assert.deepEqual(await client.replies(2), [
        wrap('message', 'hs:role', 'none 2 -'),
        wrap('message', 'hs:role', 'master 2 a'),
      ]);
      await client.close();
    }
  });

  void test('finds all of the report in HS STATUS and what Redis clients look for in ROLE and INFO', async (t) => {
    const { connect, service } = await startService(t);
    const client = connect();
    const status: unknown = JSON.parse(await client.text('HS', 'STATUS'));
    assert.ok(typeof status === 'object' && status !== null && 'node' in status && status.node === 'a');
    assert.deepEqual(await client.ask('ROLE'), ['master', 0, [['127.0.0.1', '7402', '0']]]);
    assert.match(await client.text('INFO', 'replication'), /^# Replication\r\nrole:master\r\nconnected_slaves:1\r\n/);
    service.publishRole({ role: 'slave', epoch: 2, master: 'b' });
    assert.deepEqual(await client.ask('ROLE'), ['slave', '127.0.0.1', 7402, 'connected', 0]);
    const all = await client.text('INFO');
    for (const line of [
      'redis_version:7.0.15',
      'connected_clients:1',
      'loading:0',
      'role:slave',
      'master_link_status:up',
      'group:world',
      'epoch:2',
    ]) {
      assert.ok(all.includes(`\n${line}\r`), line);
    }
    assert.match(await client.text('CLIENT', 'LIST'), /^id=1 addr=unix name= .* cmd=client\|list .* resp=2 /);
  });
});
