import { createServer, type RequestListener, type Server } from 'node:http';
import { HsctlError, messageOf } from '../kit/errors.ts';
import { peerUser } from '../kit/peer-credentials.ts';
import { makeWayForSocket } from '../kit/socket-path.ts';
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
        await makeWayForSocket(path);
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
