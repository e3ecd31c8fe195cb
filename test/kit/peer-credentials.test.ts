import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { peerUser } from '../../src/kit/peer-credentials.ts';

const directory = mkdtempSync(join(tmpdir(), 'hsctl-peer-'));
after(() => rmSync(directory, { recursive: true }));

describe('the user at the other end of a socket', () => {
  it('is told by the kernel, and the connection goes on as before', async () => {
    const server = createServer().listen(join(directory, 'socket'));
    await once(server, 'listening');
    const client = connect(join(directory, 'socket'));
    const [socket] = (await once(server, 'connection')) as [Socket];
    client.write('before ');
    const { uid, username: name } = userInfo();
    assert.deepEqual(await peerUser(socket), { uid, name });
    client.end('after');
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    assert.equal(Buffer.concat(chunks).toString(), 'before after');
    await new Promise((resolve) => server.close(resolve));
  });

  it('is unknown where the connection is no unix socket', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const client = connect(address.port, '127.0.0.1');
    const [socket] = (await once(server, 'connection')) as [Socket];
    assert.equal(await peerUser(socket), null);
    client.destroy();
    socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
});
