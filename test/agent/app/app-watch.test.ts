import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AppWatch, type AppView, type AppWatchOptions } from '../../../src/agent/app/app-watch.ts';
import type { AppConnection } from '../../../src/agent/resp/app-observer.ts';
import { ManualScheduler } from '../../kit/manual-scheduler.ts';

const INTERVAL_MS = 100;
const MISSES = 3;
const JOIN_TIMEOUT_MS = 5_000;

/** A connection of the app, as the RESP service shows it. */
class Connection implements AppConnection {
  readonly id = 1;
  readonly appName = 'game';
  requests = 0;
  stalled = false;
}

/** A watch in virtual time, and what it told. */
class Watched {
  readonly scheduler = new ManualScheduler();
  readonly watch: AppWatch;
  readonly told: AppView[] = [];
  ended = 0;
  readonly stop: () => void;

  constructor(options: Partial<AppWatchOptions> = {}) {
    this.watch = new AppWatch({
      heartbeat: { intervalMs: INTERVAL_MS, misses: MISSES },
      scheduler: this.scheduler,
      joins: true,
      joinTimeoutMs: JOIN_TIMEOUT_MS,
      mayBeReady: (epoch) => (epoch === 7 ? null : `ERR epoch ${epoch} is over`),
      endApp: () => (this.ended += 1),
      onChange: (view) => void this.told.push(view),
      ...options,
    });
    this.stop = this.watch.start();
  }

  get state(): string {
    const { state, fit } = this.watch.view;
    return fit ? state : `${state}, unfit`;
  }

  /** Lets time pass; each of the connections sends a request in each interval. */
  async beat(intervals: number, ...connections: Connection[]): Promise<void> {
    for (let interval = 0; interval < intervals; interval += 1) {
      for (const connection of connections) connection.requests += 1;
      await this.scheduler.advance(INTERVAL_MS);
    }
  }
}

describe('an app that runs by itself', () => {
  it('is absent, then up, then down as soon as its last connection closes', () => {
    const app = new Watched();
    assert.equal(app.state, 'absent');
    const [one, other] = [new Connection(), new Connection()];
    app.watch.appJoined(one);
    app.watch.appJoined(other);
    app.watch.appLeft(one, 'closed by the client');
    assert.equal(app.state, 'up');
    app.watch.appLeft(other, 'reset');
    assert.equal(app.state, 'down, unfit');
    assert.equal(app.watch.view.detail, "the app's connection closed: reset");
    app.watch.appJoined(new Connection());
    assert.equal(app.state, 'up');
  });

  it('hangs after so many intervals without a request, and is well again with the next', async () => {
    const app = new Watched();
    const connection = new Connection();
    app.watch.appJoined(connection);
    await app.beat(20, connection);
    assert.equal(app.state, 'up');
    await app.beat(MISSES - 1);
    assert.equal(app.state, 'up');
    await app.beat(1);
    assert.equal(app.state, 'hung, unfit');
    assert.equal(app.ended, 1);
    await app.beat(2 * MISSES);
    assert.equal(app.ended, 1, 'it is ended once');
    await app.beat(1, connection);
    assert.equal(app.state, 'up');
    await app.beat(MISSES);
    assert.equal(app.state, 'hung, unfit', 'it is watched again');
    app.stop();
  });

  it('does not hang by a connection from which the service does not read', async () => {
    const app = new Watched();
    const connection = new Connection();
    app.watch.appJoined(connection);
    connection.stalled = true;
    await app.beat(10 * MISSES);
    assert.equal(app.state, 'up');
    connection.stalled = false;
    await app.beat(MISSES);
    assert.equal(app.state, 'hung, unfit');
    app.stop();
  });

  it('hangs if one of its connections does', async () => {
    const app = new Watched();
    const [one, other] = [new Connection(), new Connection()];
    app.watch.appJoined(one);
    app.watch.appJoined(other);
    await app.beat(MISSES + 1, one);
    assert.equal(app.ended, 1);
    app.stop();
  });

  it('is not watched by heartbeats where none are configured', async () => {
    const app = new Watched({ heartbeat: null });
    app.watch.appJoined(new Connection());
    await app.scheduler.advance(60_000);
    assert.equal(app.state, 'up');
    assert.equal(app.scheduler.pending, 0);
  });

  it('is ready for the epoch that is waited for, until it is gone', () => {
    const app = new Watched();
    const connection = new Connection();
    app.watch.appJoined(connection);
    assert.equal(app.watch.appReady(6), 'ERR epoch 6 is over');
    assert.equal(app.watch.view.readyEpoch, 0);
    assert.equal(app.watch.appReady(7), null);
    assert.equal(app.watch.view.readyEpoch, 7);
    app.watch.appLeft(connection, 'reset');
    assert.equal(app.watch.view.readyEpoch, 0);
  });
});

describe('an app that its agent runs', () => {
  it('is waited for while it is restarted in place', async () => {
    const app = new Watched();
    app.watch.onStarted();
    assert.equal(app.state, 'starting');
    const connection = new Connection();
    app.watch.appJoined(connection);
    app.watch.appLeft(connection, 'reset');
    app.watch.onExit('the app was ended by SIGKILL', true);
    assert.equal(app.state, 'starting');
    assert.equal(app.watch.view.detail, 'the app was ended by SIGKILL');
    app.watch.onStarted();
    app.watch.appJoined(new Connection());
    await app.scheduler.advance(0);
    assert.equal(app.state, 'up');
    app.stop();
    assert.equal(app.scheduler.pending, 0, 'nothing is waited for any more');
  });

  it('is not waited for when it was restarted too often', () => {
    const app = new Watched();
    app.watch.onStarted();
    app.watch.appJoined(new Connection());
    app.watch.onExit('the app ended with code 1', false);
    assert.equal(app.state, 'down, unfit');
    app.watch.onStarted();
    assert.equal(app.state, 'starting, unfit');
    app.watch.appJoined(new Connection());
    assert.equal(app.state, 'up');
  });

  it('is not waited for for ever: it may start, and never join', async () => {
    const app = new Watched({ heartbeat: null });
    app.watch.onStarted();
    app.watch.onExit('the app ended with code 1', true);
    await app.scheduler.advance(JOIN_TIMEOUT_MS - 1);
    app.watch.onExit('the app ended with code 1', true);
    app.watch.onStarted();
    assert.equal(app.state, 'starting');
    await app.scheduler.advance(1);
    assert.equal(app.state, 'starting, unfit');
    assert.equal(app.watch.view.detail, 'the app has not joined within 5s');
    app.watch.appJoined(new Connection());
    assert.equal(app.state, 'up');
  });

  it('is up as soon as it runs where hook or probe speak for it, whatever its connections do', () => {
    const app = new Watched({ joins: false });
    app.watch.onStarted();
    assert.equal(app.state, 'up');
    const connection = new Connection();
    app.watch.appJoined(connection);
    app.watch.appLeft(connection, 'closed by the client');
    assert.equal(app.state, 'up');
    app.watch.onExit('the app ended with code 1', true);
    assert.equal(app.state, 'starting');
    app.watch.onStarted();
    assert.equal(app.state, 'up');
  });
});

describe('what others say of the app', () => {
  it('a probe that fails is a hang, until it is good again or no longer asked', () => {
    const app = new Watched();
    app.watch.appJoined(new Connection());
    app.watch.onProbe('no answer');
    assert.equal(app.state, 'hung, unfit');
    assert.equal(app.watch.view.detail, 'probe: no answer');
    assert.equal(app.ended, 1);
    app.watch.onProbe(null);
    assert.equal(app.state, 'up');
  });

  it('heartbeats do not speak for an app whose probe fails, nor the probe for one that is gone', async () => {
    const app = new Watched();
    const connection = new Connection();
    app.watch.appJoined(connection);
    app.watch.onProbe('no answer');
    await app.beat(2, connection);
    assert.equal(app.state, 'hung, unfit');
    app.watch.appLeft(connection, 'reset');
    app.watch.onProbe(null);
    assert.equal(app.state, 'down, unfit');
    app.stop();
  });

  it('a promote hook that failed keeps the node from serving until another one does', () => {
    const app = new Watched({ joins: false });
    app.watch.onSlave();
    assert.equal(app.state, 'absent');
    app.watch.onHookFailed();
    assert.equal(app.state, 'down, unfit');
    app.watch.onSlave();
    assert.equal(app.state, 'absent');
    app.watch.onStarted();
    app.watch.onHookFailed();
    app.watch.onSlave();
    assert.equal(app.state, 'up');
  });
});
