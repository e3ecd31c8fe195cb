import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Supervisor, type SupervisorOptions } from '../../../src/agent/app/supervisor.ts';
import { systemScheduler } from '../../../src/kit/clock.ts';
import { silentLogger } from '../../../src/kit/logger.ts';

/** A supervisor of a real program, its life as a list of events, and a way to wait for the next of them. */
class Supervised {
  readonly events: string[] = [];
  readonly supervisor: Supervisor;
  readonly running: Promise<void>;
  readonly #abort = new AbortController();
  #waiting: (() => void)[] = [];

  constructor(command: readonly string[], options: Partial<SupervisorOptions> = {}) {
    this.supervisor = new Supervisor({
      command,
      env: { HSCTL_NODE: 'a' },
      stopTimeoutMs: 5_000,
      restart: { times: 2, withinMs: 60_000 },
      scheduler: systemScheduler,
      random: () => 0,
      logger: silentLogger,
      onStart: () => this.#tell('start'),
      onExit: (detail, inPlace) => this.#tell(`${detail}${inPlace ? ', in place' : ''}`),
      ...options,
    });
    this.running = this.supervisor.run(this.#abort.signal);
  }

  #tell(event: string): void {
    this.events.push(event);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when there are so many events. */
  async until(count: number): Promise<void> {
    while (this.events.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.running;
  }
}

/** Resolves when a file is there, written by a program that was started. */
async function fileAt(path: string): Promise<string> {
  while (!existsSync(path) || readFileSync(path, 'utf8') === '') await new Promise((resolve) => setImmediate(resolve));
  return readFileSync(path, 'utf8').trim();
}

describe('the supervisor of the app', () => {
  let folder = '';
  before(() => void (folder = mkdtempSync(join(tmpdir(), 'hsctl-supervisor-'))));
  after(() => rmSync(folder, { recursive: true }));

  it('starts it again when it ends, in place as often as is configured', async () => {
    const app = new Supervised(['sh', '-c', 'exit 3']);
    await app.until(8);
    await app.stop();
    assert.deepEqual(app.events.slice(0, 8), [
      'start',
      'the app ended with code 3, in place',
      'start',
      'the app ended with code 3, in place',
      'start',
      'the app ended with code 3',
      'start',
      'the app ended with code 3',
    ]);
    assert.ok(app.supervisor.restarts >= 3);
  });

  it('counts only restarts of the last while', async () => {
    const app = new Supervised(['true'], { restart: { times: 1, withinMs: 0 } });
    await app.until(6);
    await app.stop();
    assert.ok(app.events.filter((event) => event.endsWith('in place')).length >= 3);
  });

  it('says why it cannot be started, and tries again', async () => {
    const app = new Supervised([join(folder, 'nowhere')], { restart: { times: 0, withinMs: 0 } });
    await app.until(4);
    await app.stop();
    assert.deepEqual(app.events.slice(0, 2), ['start', `${join(folder, 'nowhere')}: no such program`]);
  });

  it('gives it the environment, and ends one that hangs', async () => {
    const path = join(folder, 'environment');
    const app = new Supervised(['sh', '-c', `echo $HSCTL_NODE > ${path}; exec sleep 600`]);
    assert.equal(await fileAt(path), 'a');
    app.supervisor.kill();
    await app.until(3);
    assert.deepEqual(app.events.slice(0, 3), ['start', 'the app was ended by SIGKILL, in place', 'start']);
    await app.stop();
  });

  it('stops it in order: it is asked first, and nothing is said of its end', async () => {
    const path = join(folder, 'asked');
    const app = new Supervised([
      'sh',
      '-c',
      `trap 'echo asked > ${path}; exit 0' TERM; echo up > ${path}; while :; do sleep 0.05; done`,
    ]);
    assert.equal(await fileAt(path), 'up');
    await app.stop();
    assert.equal(readFileSync(path, 'utf8').trim(), 'asked');
    assert.deepEqual(app.events, ['start']);
  });

  it('kills one that does not listen, after its time', async () => {
    const path = join(folder, 'deaf');
    const app = new Supervised(['sh', '-c', `trap '' TERM; echo $$ > ${path}; while :; do sleep 0.05; done`], {
      stopTimeoutMs: 50,
    });
    const pid = Number(await fileAt(path));
    await app.stop();
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  });

  it('stops one that is told to stop while it is being started', async () => {
    const app: Supervised = new Supervised(['sleep', '600'], { onStart: () => queueMicrotask(() => void app.stop()) });
    await app.running;
    assert.deepEqual(app.events, []);
  });
});
