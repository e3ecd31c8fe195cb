import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { ProbeTarget } from '../../src/probes/probe.ts';
import { lookAt, never, probeOf } from '../probes/looks.ts';
import { bad } from '../probes/servers.ts';
import { Rig } from '../rig/rig.ts';

describe('ping probe', () => {
  const target = (host: string): ProbeTarget => ({ host, port: null });

  it('is good at an echo reply of either family', async () => {
    for (const host of ['127.0.0.1', '::1', 'localhost']) {
      assert.deepEqual(await lookAt(target(host), 'ping'), { good: true, detail: 'echo reply' });
    }
  });

  it('says why it cannot ask', async () => {
    const { good, detail } = await lookAt(target('127.0.0.1'), 'ping', { source: '192.0.2.1' });
    assert.equal(good, false);
    assert.match(detail, /^source 192\.0\.2\.1: Cannot assign/);
  });

  it('gives the reason of its signal', async () => {
    const probe = probeOf('ping');
    const stop = AbortSignal.abort(new Error('too late'));
    assert.deepEqual(await probe.look(target('127.0.0.1'), stop), bad('too late'));
    await probe.close?.();
  });

  it('shares one program among all probes, which ends with the last of them', async () => {
    const probes = Array.from({ length: 50 }, () => probeOf('ping'));
    const results = await Promise.all(probes.map((probe, index) => probe.look(target(`127.0.0.${index + 1}`), never)));
    assert.ok(results.every(({ good }) => good));
    assert.equal(process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap').length, 1);
    for (const probe of probes.slice(1)) await probe.close?.();
    assert.equal((await probes[0]?.look(target('127.0.0.1'), never))?.good, true);
    await probes[0]?.close?.();
    // Its handle is closed at the end of this turn.
    await turn();
    await turn();
    assert.equal(process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap').length, 0);
  });
});

describe('scripts/probes/ping.pl', () => {
  // Given as text: whoever is not root may not be able to read it where it is.
  const program = readFileSync(new URL('../../scripts/probes/ping.pl', import.meta.url), 'utf8');
  const asNobody = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', '--inh-caps=-all'];
  const lines = '1 127.0.0.1 -\n2 ::1 -\n3 127.0.0.1 127.0.0.9\n4 192.0.2.1 -\n';

  it('needs no privilege where the system allows it, and says what it needs where not', () =>
    Rig.use(async (rig) => {
      const host = rig.host('a');
      const ping = async (): Promise<string[]> => {
        const said = await host.run([...asNobody, 'perl', '-e', program], lines);
        return said.trim().split('\n').toSorted();
      };
      const range = (text: string): Promise<string> => host.run(['sysctl', '-w', `net.ipv4.ping_group_range=${text}`]);
      await range('1 0');
      const needs = 'ping needs CAP_NET_RAW, or the sysctl net.ipv4.ping_group_range';
      assert.deepEqual(
        await ping(),
        [1, 2, 3, 4].map((id) => `bad ${id} ${needs}`),
      );
      await range('0 2147483647');
      assert.deepEqual(await ping(), ['bad 4 Network is unreachable', 'ok 1', 'ok 2', 'ok 3']);
    }));

  it('ends at a line that it does not know', async () => {
    await Rig.use(async (rig) => {
      await assert.rejects(rig.host('a').run(['perl', '-e', program], 'pong\n'));
    });
  });
});
