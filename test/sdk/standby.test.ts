import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import { RefusedError, runStandby, type Standby, type StandbyOptions } from '../../src/sdk/index.ts';
import { type Harness, startService } from '../agent/resp/harness.ts';
import { Recorder } from './recorder.ts';

/** An app with its memory, which writes down what happens to it. */
class App {
  readonly events = new Recorder<string>();
  readonly memory = new Map<string, string>();
  readonly standby: Standby;

  constructor(t: TestContext, { path }: Harness, callbacks: Partial<StandbyOptions> = {}) {
    this.standby = runStandby({
      socket: path,
      name: 'app',
      heartbeatMs: 10,
      onChange: (change) => {
        if (change.type === 'reset') {
          this.memory.clear();
          this.events.add('reset');
        } else if (change.type === 'set') this.memory.set(String(change.key), String(change.value));
        else this.memory.delete(String(change.key));
      },
      onPromote: (epoch) => this.events.add(`promoted ${epoch} with ${[...this.memory.values()].join(',')}`),
      onDemote: ({ role, epoch }) => this.events.add(`demoted: ${role} ${epoch}`),
      ...callbacks,
    });
    t.after(() => this.standby.stop().catch(() => undefined));
  }
}

/** A service whose node is slave of reign 1. */
async function slave(t: TestContext): Promise<Harness> {
  const harness = await startService(t);
  harness.service.publishRole({ role: 'slave', epoch: 1, master: 'b' });
  return harness;
}

function write({ replica }: Harness, key: string, value: string): void {
  const bytes = Buffer.from(key + value);
  replica.set(bytes, 0, key.length, key.length, bytes.length);
}

function promote({ replica, service, observer }: Harness, epoch: number): void {
  replica.reign(epoch);
  observer.epoch = epoch;
  service.publishRole({ role: 'master', epoch, master: 'a' });
}

void suite('a standby', () => {
  void test('is warm, is promoted with all there is, and says that it is ready', async (t) => {
    const harness = await slave(t);
    write(harness, 'a', '1');
    const app = new App(t, harness);
    assert.deepEqual(await harness.observer.seen(1), ['joined app']);
    while (app.memory.size < 1) await new Promise(setImmediate);
    assert.equal(app.standby.serves, false);
    // The last writes of the former master, confirmed only under the new reign.
    harness.replica.automatic = false;
    write(harness, 'b', '2');
    promote(harness, 2);
    for (let round = 0; round < 50; round++) await new Promise(setImmediate);
    assert.deepEqual(app.events.all, []);
    harness.replica.automatic = true;
    harness.replica.confirm();
    assert.deepEqual(await harness.observer.seen(2), ['joined app', 'ready 2']);
    assert.deepEqual(app.events.all, ['promoted 2 with 1,2']);
    assert.equal(app.standby.serves, true);
    await app.standby.client.set('c', '3');
  });

  void test('confirms only while it serves, whatever its agent answers', async (t) => {
    const harness = await slave(t);
    const { service } = harness;
    const app = new App(t, harness);
    await assert.rejects(app.standby.confirm(), RefusedError);
    promote(harness, 2);
    await harness.observer.seen(2);
    assert.equal(app.standby.epoch, 2);
    await app.standby.confirm();
    // The agent knows already, the app does not.
    service.publishRole({ role: 'slave', epoch: 3, master: 'b' });
    assert.equal(app.standby.epoch, 2);
    await assert.rejects(app.standby.confirm(), RefusedError);
    await app.events.count(3);
    assert.equal(app.standby.epoch, 0);
  });

  void test('does not confirm when the news that it is demoted overtakes the word of its agent', async (t) => {
    const harness = await slave(t);
    const app = new App(t, harness);
    promote(harness, 2);
    await harness.observer.seen(2);
    app.standby.client.serves = async () => {
      harness.service.publishRole({ role: 'slave', epoch: 3, master: 'b' });
      await app.events.count(3);
    };
    await assert.rejects(app.standby.confirm(), RefusedError);
  });

  void test('that is demoted forgets what may never have been acknowledged', async (t) => {
    const harness = await slave(t);
    const app = new App(t, harness);
    promote(harness, 2);
    await harness.observer.seen(2);
    app.memory.set('unacknowledged', 'x');
    harness.service.publishRole({ role: 'slave', epoch: 3, master: 'b' });
    write(harness, 'a', '1');
    await app.events.count(3);
    while (!app.memory.has('a')) await new Promise(setImmediate);
    assert.deepEqual(app.events.all, ['promoted 2 with ', 'demoted: slave 3', 'reset']);
    assert.deepEqual([...app.memory], [['a', '1']]);
    promote(harness, 4);
    assert.deepEqual((await harness.observer.seen(3)).slice(1), ['ready 2', 'ready 4']);
    assert.equal(app.events.all.at(-1), 'promoted 4 with 1');
  });

  void test('goes from one reign of its own to the next by way of none', async (t) => {
    const harness = await slave(t);
    const app = new App(t, harness);
    promote(harness, 2);
    await harness.observer.seen(2);
    promote(harness, 5);
    await harness.observer.seen(3);
    assert.deepEqual(app.events.all, ['promoted 2 with ', 'demoted: master 5', 'reset', 'promoted 5 with ']);
  });

  void test('whose promotion is overtaken is told so, and says nothing', async (t) => {
    const harness = await slave(t);
    const started = Promise.withResolvers<void>();
    const app: App = new App(t, harness, {
      onPromote: async (epoch, signal) => {
        started.resolve();
        if (epoch === 2) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        app.events.add(`promoted ${epoch}`);
      },
    });
    promote(harness, 2);
    await started.promise;
    harness.service.publishRole({ role: 'none', epoch: 2, master: null });
    await app.events.count(3);
    promote(harness, 3);
    assert.deepEqual((await harness.observer.seen(2)).slice(1), ['ready 3']);
    assert.deepEqual(app.events.all, ['promoted 2', 'demoted: none 2', 'reset', 'promoted 3']);
  });

  void test('stops serving when its agent is gone, and comes back with it', async (t) => {
    const first = await slave(t);
    const app = new App(t, first);
    promote(first, 2);
    await first.observer.seen(2);
    await first.stop();
    assert.deepEqual(await app.events.count(3), ['promoted 2 with ', 'demoted: none 2', 'reset']);
    write(first, 'a', '1');
    const second = await startService(t, { socket: first.path, replica: first.replica });
    second.observer.epoch = 2;
    second.service.publishRole({ role: 'master', epoch: 2, master: 'a' });
    await second.observer.seen(2);
    assert.equal(app.events.all.at(-1), 'promoted 2 with 1');
  });

  void test('whose callback throws ends, so that the agent sees it go', async (t) => {
    const harness = await slave(t);
    const app = new App(t, harness, {
      onPromote: () => {
        throw new Error('port taken');
      },
    });
    promote(harness, 2);
    await assert.rejects(app.standby.done, /port taken/);
    assert.deepEqual(await harness.observer.seen(2), ['joined app', 'left app']);
  });

  void test('whose memory cannot take a change ends too', async (t) => {
    const harness = await slave(t);
    const app = new App(t, harness, {
      onChange: () => {
        throw new Error('no memory');
      },
    });
    write(harness, 'a', '1');
    await assert.rejects(app.standby.done, /no memory/);
  });

  void test('that is stopped is gone', async (t) => {
    const harness = await slave(t);
    const app = new App(t, harness);
    await harness.observer.seen(1);
    await app.standby.stop();
    assert.deepEqual(await harness.observer.seen(2), ['joined app', 'left app']);
    assert.deepEqual(app.events.all, []);
  });
});
