import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import { failures, outageMs } from './history.ts';
import { HistoryRun } from './history-run.ts';
import { machineMs } from './machine-clock.ts';
import { Rig } from './rig.ts';
import type { RigProcess } from './rig-process.ts';
import { until } from './until.ts';

const FRIEND_LISTS = fileURLToPath(new URL('fixtures/friend-lists.ts', import.meta.url));

async function serve(rig: Rig, host: string, ...more: string[]): Promise<RigProcess> {
  const server = await rig.host(host).spawn([process.execPath, FRIEND_LISTS, '9000', ...more], { name: 'server' });
  await server.waitFor(/listening/);
  return server;
}

for (const persistent of [false, true]) {
  describe(`a history client with ${persistent ? 'kept connections' : 'a connection a request'}`, () => {
    it('finds everything at an honest server', () =>
      Rig.use(async (rig) => {
        const [client, a] = [rig.host('client'), rig.host('a')];
        await serve(rig, 'a');
        const history = await HistoryRun.start(client, { to: `${a.address}:9000`, persistent });
        for (let round = 0; round < 20; round++) await history.nextOk();
        const attempts = await history.stop();
        const verdict = await history.check(`${a.address}:9000`);
        assert.deepEqual(verdict.lost.concat(verdict.ghosts, verdict.duplicates), []);
        assert.equal(verdict.outcomes.ok, attempts.length);
        assert.ok(attempts.some((attempt) => attempt.op === 'DEL'));
      }));

    it('convicts a server that forgets', () =>
      Rig.use(async (rig) => {
        const [client, a] = [rig.host('client'), rig.host('a')];
        await serve(rig, 'a', '--forget', '3');
        const history = await HistoryRun.start(client, { to: `${a.address}:9000`, persistent });
        for (let round = 0; round < 20; round++) await history.nextOk();
        await history.stop();
        assert.notDeepEqual((await history.check(`${a.address}:9000`)).lost, []);
      }));

    it('tells apart what was never sent and what was sent in vain', () =>
      Rig.use(async (rig) => {
        const [client, a] = [rig.host('client'), rig.host('a')];
        const server = await serve(rig, 'a');
        const history = await HistoryRun.start(client, { to: `${a.address}:9000`, persistent });
        server.freeze(); // connections are still made, answers do not come
        await until('a request that nobody reads', async () => {
          const sockets = await a.run(['ss', '-Htn', 'state', 'established']);
          return sockets.split('\n').some((line) => /^[1-9]/.test(line)); // bytes in the receive queue
        });
        const beginMs = machineMs();
        await server.kill(); // connections are reset, then refused
        const fault = { beginMs, endMs: machineMs() };
        await serve(rig, 'a');
        await history.nextOk();
        const attempts = await history.stop();
        const sent = new Set(
          attempts.map(({ outcome, sentMs }) => `${outcome} ${sentMs === null ? 'unsent' : 'sent'}`),
        );
        assert.deepEqual([...sent].toSorted(), ['ok sent', 'unconnected unsent', 'unknown sent']);
        assert.ok(failures(attempts, 0, Infinity).length > 0);
        assert.ok((outageMs(attempts, fault) ?? 0) > 0);
      }));
  });
}

it('a history client with several places uses them in turn, over both IP versions', () =>
  Rig.use(async (rig) => {
    const a = rig.host('a');
    await serve(rig, 'a');
    const places = [`${a.address}:9000`, `[${a.address6}]:9000`];
    const history = await HistoryRun.start(rig.host('client'), { to: places.join(',') });
    for (let round = 0; round < 20; round++) await history.nextOk();
    const attempts = await history.stop();
    assert.deepEqual(new Set(attempts.map(({ place }) => place)), new Set(places));
    assert.deepEqual((await history.check(places[1] ?? '')).lost, []);
  }));

it('a history that was broken off is no evidence', () =>
  Rig.use(async (rig) => {
    await serve(rig, 'a');
    const history = await HistoryRun.start(rig.host('client'), { to: `${rig.host('a').address}:9000` });
    await history.client.kill();
    await assert.rejects(history.stop(), /ended by SIGKILL: its history is not whole/);
  }));
