import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { it } from 'node:test';
import { openConnections } from '../../../src/traffic/connections/count.ts';

it('openConnections counts what is connected to a port of this machine', async (t) => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  assert.equal(await openConnections(port), 0);
  const client = connect(port, '127.0.0.1');
  t.after(() => {
    client.destroy();
    server.close();
  });
  await Promise.all([once(client, 'connect'), once(server, 'connection')]);
  assert.equal(await openConnections(port), 1);
});
