import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ProbeConfig, ProbeSet } from '../../src/config/config.ts';
import { foregroundScheduler } from '../../src/kit/clock.ts';
import { silentLogger } from '../../src/kit/logger.ts';
import { systemRandom } from '../../src/kit/random.ts';
import { Prober } from '../../src/probes/prober.ts';
import type { ProbeVerdict } from '../../src/probes/runner.ts';
import { configOf } from './looks.ts';
import { TestServer } from './servers.ts';

const quick = { intervalMs: 10, fastIntervalMs: 10, timeoutMs: 5000, fall: 1, rise: 1 };

/** Runs a prober and keeps its verdicts. */
class Watched {
  readonly verdicts: ProbeVerdict[] = [];
  readonly warnings: unknown[] = [];
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #told = Promise.withResolvers<undefined>();

  constructor(need: ProbeSet['need'], of: readonly ProbeConfig[], change: { from?: 'agent'; port?: number } = {}) {
    const set = { need, of: of.map((each) => ({ ...each, ...quick })) };
    const prober = new Prober({
      set,
      from: change.from ?? 'controller',
      target: { host: '127.0.0.1', port: change.port ?? null },
      scheduler: foregroundScheduler,
      random: systemRandom,
      logger: { ...silentLogger, warn: (_, fields) => this.warnings.push(fields?.['warning']) },
      onChange: (verdict) => {
        this.verdicts.push(verdict);
        this.#told.resolve(undefined);
        this.#told = Promise.withResolvers();
      },
    });
    this.#ended = prober.run(this.#stop.signal);
  }

  /** Waits for the verdict. */
  async until(verdict: ProbeVerdict['verdict']): Promise<ProbeVerdict> {
    for (;;) {
      const last = this.verdicts.at(-1);
      if (last?.verdict === verdict) return last;
      await this.#told.promise;
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }
}

describe('Prober', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hsctl-prober-'));
  });
  after(() => rm(folder, { recursive: true }));

  const flag = (name: string): { path: string; probe: ProbeConfig; raise: () => void; lower: () => void } => {
    const path = join(folder, name);
    const probe = { ...configOf('file', { path }), from: 'both' } as ProbeConfig;
    return { path, probe, raise: () => writeFileSync(path, ''), lower: () => rmSync(path) };
  };

  it('is up with one probe as that probe is, in its words', async () => {
    const one = flag('one');
    const watched = new Watched('all', [one.probe]);
    assert.deepEqual(await watched.until('down'), { verdict: 'down', detail: 'no such file', warning: '' });
    one.raise();
    await watched.until('up');
    one.lower();
    await watched.until('down');
    await watched.close();
  });

  it('is down where all are needed and one is down, and names that one', async () => {
    const [one, other] = [flag('one'), flag('other')];
    one.raise();
    const nobody = await TestServer.listen((socket) => socket.resume());
    const watched = new Watched('all', [one.probe, other.probe, configOf('tcp', { port: nobody.target.port })]);
    assert.equal((await watched.until('down')).detail, 'file: no such file');
    other.raise();
    await watched.until('up');
    await nobody.close();
    assert.match((await watched.until('down')).detail, /^tcp \d+: connection (refused|reset)/);
    await watched.close();
    one.lower();
    other.lower();
  });

  it('is up where any is enough and one is up, and down once none is', async () => {
    const [one, other] = [flag('one'), flag('other')];
    one.raise();
    const watched = new Watched('any', [one.probe, other.probe]);
    assert.match((await watched.until('up')).detail, /^file: written /);
    one.lower();
    assert.equal((await watched.until('down')).detail, 'file: no such file; file: no such file');
    other.raise();
    await watched.until('up');
    await watched.close();
    other.lower();
  });

  it('runs only what is meant for its place', async () => {
    const [mine, theirs] = [flag('mine'), flag('theirs')];
    mine.raise();
    const of = [
      { ...mine.probe, from: 'agent' },
      { ...theirs.probe, from: 'controller' },
    ] as ProbeConfig[];
    const atAgent = new Watched('all', of, { from: 'agent' });
    const atController = new Watched('all', of);
    assert.match((await atAgent.until('up')).detail, /^written /);
    assert.equal((await atController.until('down')).detail, 'no such file');
    await Promise.all([atAgent.close(), atController.close()]);
  });

  it('has the controller alone probe from a certain address', async () => {
    const server = await TestServer.listen((socket) => socket.resume());
    const tcp = configOf('tcp', { port: server.target.port, source: '192.0.2.1' });
    const atAgent = new Watched('all', [tcp], { from: 'agent' });
    const atController = new Watched('all', [tcp]);
    await atAgent.until('up');
    const { detail } = await atController.until('down');
    assert.match(detail, /^the source address is not on this machine/);
    await Promise.all([atAgent.close(), atController.close(), server.close()]);
  });

  it('tells of a warning once, with the verdict and in the log', async () => {
    const command = ['sh', '-c', 'echo "DISK WARNING | free=3"; exit 1'];
    const watched = new Watched('all', [configOf('exec', { command, exitCodes: 'nagios' })]);
    const { warning } = await watched.until('up');
    assert.equal(warning, 'DISK WARNING');
    await watched.close();
    assert.deepEqual(watched.warnings, ['DISK WARNING']);
  });
});
