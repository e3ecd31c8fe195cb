import { lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { HsctlError } from './errors.ts';
import { makeDirectory } from './make-directory.ts';

/**
 * Makes way for a unix socket: its directory is made, and the socket of a process that was killed is removed. Nothing
 * else is ever removed.
 * @throws HsctlError('refused') if somebody listens there, HsctlError('config') if something else is there, and what
 *   the file system throws
 */
export async function makeWayForSocket(path: string): Promise<void> {
  makeDirectory(dirname(path));
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new HsctlError('config', `${path} is there and is no socket`, 'name another path, or move it away');
  }
  if (await answers(path)) {
    throw new HsctlError(
      'refused',
      `another process already listens on ${path}`,
      'stop it first, or name another path',
    );
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
