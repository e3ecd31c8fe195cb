import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GROUP, otherThan } from '../rig/cluster.ts';
import type { Attempt } from '../rig/history.ts';
import type { Rig } from '../rig/rig.ts';
import { type Lead, onPair } from './pair.ts';

/** A new connection each, as clients that wait for as long as TCP does: nothing may fail, not even a connection. */
const PER_SECOND = 200;
const CLIENT = { everyMs: 1000 / PER_SECOND, patienceMs: 5000, keepsPace: true };

/** On the director. */
const VIRTUAL = '10.0.0.200';

/** The director in the way of all packets, as `nft` needs it. */
async function behindNft(rig: Rig): Promise<Lead> {
  const [director, client] = [rig.host('director'), rig.host('client')];
  await director.run(['ip', 'addr', 'add', `${VIRTUAL}/32`, 'dev', 'eth0']);
  await director.run(['sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv4.conf.all.send_redirects=0']);
  await director.run(['sysctl', '-qw', 'net.ipv4.conf.eth0.send_redirects=0']);
  for (const node of ['a', 'b']) {
    // Only what answers clients: the agents' own way to the director stays direct.
    await rig.host(node).run(['ip', 'route', 'add', `${client.address}/32`, 'via', director.address]);
  }
  return { service: `${VIRTUAL}:9000`, entries: [{ type: 'nft', virtual: `${VIRTUAL}:9000` }] };
}

describe(`a planned change under ${PER_SECOND} connections a second`, () => {
  for (const traffic of ['nft', 'vip', 'proxy'] as const) {
    it(`fails no request: ${traffic}`, () =>
      onPair(
        async ({ cluster, master, history }) => {
          for (const node of [otherThan(master), master]) {
            await cluster.hsctl('promote', GROUP, node, '--wait');
            await history.nextOk();
            assert.equal(await cluster.master(), node);
            await cluster.whole();
          }
          nothingFailed(traffic, history.soFar());
        },
        { client: CLIENT, ...(traffic === 'nft' ? { lead: behindNft } : { traffic }) },
      ));
  }
});

describe('an upgrade, each daemon restarted in its turn', () => {
  it('fails no request', () =>
    onPair(
      async ({ cluster, master, history }) => {
        await cluster.controller.stop();
        await cluster.startController();
        for (const node of [otherThan(master), master]) {
          await cluster.whole();
          await cluster.agent(node).stop();
          await history.nextOk();
          await cluster.startAgent(node);
          await cluster.whole();
          await cluster.hsctl('promote', GROUP, node, '--wait');
          await history.nextOk();
        }
        nothingFailed('upgrade', history.soFar());
      },
      { client: CLIENT, traffic: 'vip' },
    ));
});

function nothingFailed(what: string, attempts: readonly Attempt[]): void {
  const begun = attempts.map(({ startMs }) => startMs);
  const seconds = (Math.max(...begun) - Math.min(...begun)) / 1000;
  const waited = Math.max(...attempts.map(({ startMs, doneMs }) => doneMs - startMs));
  console.log(
    `${what}: ${(attempts.length / seconds).toFixed(0)} connections a second, longest ${waited.toFixed(0)} ms`,
  );
  assert.deepEqual(attempts.filter(({ outcome }) => outcome !== 'ok').slice(0, 3), []);
}
