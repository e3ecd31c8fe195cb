import { connect, type Socket } from 'node:net';
import { HsctlError } from '../kit/errors.ts';

/** Where a controller serves its API, as a client reaches it. */
export interface ApiEndpoint {
  /** For messages: path of a socket, or host and port. */
  readonly name: string;
  /** Connects; `ready` is called once the other end is known to be the controller. */
  open(ready: () => void): Socket;
  /** What an error of that connection means to an operator. */
  explain(error: Error): HsctlError;
}

/** The controller's socket on this machine: who may use it is a matter of the file's mode. */
export function socketEndpoint(path: string): ApiEndpoint {
  return {
    name: path,
    open: (ready) => connect(path, ready),
    explain(error) {
      const code = 'code' in error ? error.code : '';
      const start = 'start it (systemctl start hsctl-controller), or name the right configuration with --config';
      const told = (message: string, hint: string): HsctlError =>
        new HsctlError('unreachable', message, hint, { cause: error });
      if (code === 'ENOENT') return told(`no controller here: ${path} does not exist`, start);
      if (code === 'ECONNREFUSED') return told(`the controller is not running: nobody listens on ${path}`, start);
      if (code === 'EACCES' || code === 'EPERM') {
        return told(`you may not use ${path}`, 'run this as root, or as a member of the group that owns the socket');
      }
      return told(`the connection to ${path} failed: ${error.message}`, 'try again; look at the log of the controller');
    },
  };
}
