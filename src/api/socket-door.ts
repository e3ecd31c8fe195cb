import { lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { HsctlError, messageOf } from '../kit/errors.ts';
import { peerUser } from '../kit/peer-credentials.ts';
import type { Door, ServerLimits } from './door.ts';

/** The socket is for its owner and group, nobody else. */
const UMASK_WHILE_BINDING = 0o117;

/**
 * The API on a unix socket. Who may connect is a matter of the file's mode; who asks is the user whose process it is by
 * the kernel's word, on behalf of whom the client names (say, the person behind sudo).
 */
export function socketDoor(path: string): Door {
  return {
    name: path,
    async open(limits: ServerLimits, handler: RequestListener): Promise<Server> {
      try {
        mkdirSync(dirname(path), { recursive: true });
        await removeStale(path);
        const server = createServer(limits, handler);
        await listen(server, path);
        return server;
      } catch (error) {
        if (error instanceof HsctlError) throw error;
        throw new HsctlError(
          'failed',
          `cannot listen on ${path}: ${messageOf(error)}`,
          'check controller.socket and its directory',
          {
            cause: error,
          },
        );
      }
    },
    mayChange: () => true,
    async operator(request, claimed) {
      const user = await peerUser(request.socket);
      if (user === null) return `${claimed} (claimed)`;
      const own = `${user.name || 'somebody'} (uid ${user.uid})`;
      return user.name === claimed ? own : `${own} for ${claimed}`;
    },
  };
}

/** Binding happens within `listen`, so the file is never there with a wider mode. */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const umask = process.umask(UMASK_WHILE_BINDING);
    try {
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(umask);
    }
  });
}

/** A socket file that nobody listens on is left over from a killed process. */
async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new HsctlError(
      'config',
      `${path} is there and is no socket`,
      'name another file in controller.socket, or move it away',
    );
  }
  if (await answers(path)) {
    throw new HsctlError('refused', `another process already listens on ${path}`, 'stop the other controller first');
  }
  unlinkSync(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
