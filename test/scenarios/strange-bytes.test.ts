import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type NetConnectOpts } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { GROUP } from '../rig/cluster.ts';
import { onLoopback } from '../rig/loopback.ts';
import { SeededRandom } from '../sim/seeded-random.ts';

const CONNECTIONS_A_PORT = 60;
const LONGEST_BYTES = 4096;
/** Beginnings that get a stranger further than random bytes do. */
const OPENINGS = [
  '',
  '*3\r\n$3\r\nSET\r\n',
  '*1\r\n$4\r\nHELL\r\n',
  'POST /v1/groups/x/promote HTTP/1.1\r\n',
  '\x05\0\0\0\x01{',
];

/** Sends bytes and takes whatever comes, until the other end closes or has had its time. */
async function send(where: NetConnectOpts, bytes: Uint8Array): Promise<void> {
  const socket = connect({ ...where, allowHalfOpen: false });
  socket.on('error', () => undefined);
  socket.resume();
  socket.end(bytes);
  await once(socket, 'close');
}

describe('real daemons that are sent random bytes on every port', () => {
  it('close those connections, tell of them in few lines, and change nothing', () =>
    onLoopback(async ({ cluster, service, client }) => {
      const random = new SeededRandom(Number(process.env['HSCTL_FUZZ_SEED'] ?? 1));
      const before = await cluster.status();
      const config: unknown = parse(readFileSync(cluster.configFile, 'utf8'));
      const places = placesOf(config, join(cluster.records, '..', 'controller.sock'));
      assert.equal(places.length, 7);
      const writer = client(before.master === 'a' ? 'a' : 'b');
      for (const where of places) {
        for (let count = 0; count < CONNECTIONS_A_PORT; count += 1) {
          const noise = Buffer.from(Array.from({ length: random.int(LONGEST_BYTES) }, () => random.int(256)));
          await send(where, Buffer.concat([Buffer.from(random.pick(OPENINGS), 'latin1'), noise]));
        }
        assert.equal(await writer.ask('SET', 'still', 'there'), 'OK');
      }
      const [entryHost = '', entryPort] = service.split(':');
      await send({ host: entryHost, port: Number(entryPort) }, Buffer.from('nobody'));
      const after = await cluster.whole();
      assert.deepEqual([after.master, after.epoch], [before.master, before.epoch]);
      const events = await cluster.api.events({ group: GROUP, limit: 100 });
      assert.deepEqual(
        events.map(({ id }) => id).filter((id) => id > (before.lastEvent?.id ?? 0)),
        [],
      );
      for (const daemon of [cluster.controller, cluster.agent('a'), cluster.agent('b')]) {
        const lines = daemon.tail(1000).split('\n');
        const told = lines.filter((line) => /refused|Protocol error|not the protocol/i.test(line));
        assert.ok(told.length <= 10, `${daemon.name} told of it in ${told.length} lines`);
        assert.deepEqual(
          lines.filter((line) => /at .*\.(ts|js):\d+/.test(line)),
          [],
          `${daemon.name}: a stack`,
        );
      }
    }));
});

/** Every endpoint of the daemons: control and replication ports, the app's sockets, the controller's. */
function placesOf(config: unknown, controllerSocket: string): NetConnectOpts[] {
  const { groups } = config as { groups: Record<string, { nodes: Record<string, NodeFile> }> };
  const nodes = Object.values(groups[GROUP]?.nodes ?? {});
  return [
    { path: controllerSocket },
    ...nodes.flatMap(({ address, control, replication, socket }) => [
      { host: address, port: control },
      { host: address, port: replication },
      { path: socket },
    ]),
  ];
}

interface NodeFile {
  readonly address: string;
  readonly control: number;
  readonly replication: number;
  readonly socket: string;
}
