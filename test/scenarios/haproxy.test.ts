import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { otherThan } from '../rig/cluster.ts';
import type { Host } from '../rig/host.ts';
import type { Rig } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { type Lead, onPair, thereAndBack } from './pair.ts';

/** HAProxy of Debian's on the director, through which all clients come. */
async function throughHaproxy(rig: Rig): Promise<Lead> {
  const [director, a, b] = ['director', 'a', 'b'].map((name) => rig.host(name)) as [Host, Host, Host];
  const socket = join(rig.dir, 'haproxy.sock');
  const file = join(rig.dir, 'haproxy.cfg');
  const service = `${director.address}:9000`;
  writeFileSync(
    file,
    `global
  stats socket ${socket} mode 600 level admin
defaults
  mode tcp
  timeout connect 300ms
  retries 5
  option redispatch 1
  timeout client 1m
  timeout server 1m
frontend entry
  bind ${service}
  default_backend friends
backend friends
  server a ${a.address}:9000 disabled
  server b ${b.address}:9000 disabled
`,
  );
  const process = await director.spawn(['haproxy', '-db', '-f', file]);
  await until('haproxy to listen', async () => {
    if (!process.running) throw new Error(process.tail(20));
    return (await director.run(['ss', '-Hltn'])).includes(service);
  });
  return { service, entries: [{ type: 'haproxy', socket, backend: 'friends', virtual: service }] };
}

describe('traffic through HAProxy', () => {
  it('moves there and back by a planned change without a failed write', () =>
    onPair(thereAndBack, { lead: throughHaproxy }));

  it('goes to the other node when the app is killed', () =>
    onPair(
      async ({ cluster, master, history }) => {
        await cluster.app(master).kill();
        await history.nextOk();
        assert.equal(await cluster.master(), otherThan(master));
      },
      { lead: throughHaproxy },
    ));

  it('is led back when an operator sends it elsewhere', () =>
    onPair(
      async ({ rig, cluster, master, history }) => {
        const other = otherThan(master);
        const orders = [`set server friends/${master} state maint`, `set server friends/${other} state ready`];
        for (const order of orders) {
          const talk = `use Socket; socket(S, PF_UNIX, SOCK_STREAM, 0); connect(S, sockaddr_un("${join(rig.dir, 'haproxy.sock')}"));
            syswrite S, "${order}\\n"; print <S>`;
          assert.equal((await rig.host('director').run(['perl', '-e', talk])).trim(), '');
        }
        await history.nextOk();
        assert.equal(await cluster.master(), master);
      },
      { lead: throughHaproxy },
    ));
});
