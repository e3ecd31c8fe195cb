import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/** The user whose process is at the other end of a unix socket, by the kernel's word. */
export interface PeerUser {
  readonly uid: number;
  /** Empty if the machine has no name for it. */
  readonly name: string;
}

/** The platform has no call for SO_PEERCRED: perl, which every Debian has, asks the kernel of a socket that it inherits. */
const PROGRAM = `use Socket qw(SOL_SOCKET SO_PEERCRED);
open(my $socket, '+<&=', 3) or exit 1;
my $credentials = getsockopt($socket, SOL_SOCKET, SO_PEERCRED) or exit 1;
my (undef, $uid) = unpack 'iII', $credentials;
print "$uid ", scalar(getpwuid $uid) // '', "\\n";`;
const TIMEOUT_MS = 2_000;
const OUTPUT_LIMIT = 200;
/** What the kernel says of sockets whose peer has no user. */
const NOBODY = 0xffff_ffff;

/** Who connected to this unix socket; null where nobody can tell. */
export function peerUser(socket: Socket): Promise<PeerUser | null> {
  return new Promise((resolve) => {
    // Not as its standard input: the platform would make that blocking, for us too.
    const stdio = ['ignore', 'pipe', 'ignore', socket] as const;
    const child = spawn('perl', ['-e', PROGRAM], { stdio: [...stdio], timeout: TIMEOUT_MS, killSignal: 'SIGKILL' });
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(0, OUTPUT_LIMIT)));
    child.on('error', () => resolve(null));
    child.on('close', () => {
      const [, uid, name = ''] = /^(\d+) ([^\s]*)\n$/.exec(output) ?? [];
      resolve(uid === undefined || Number(uid) === NOBODY ? null : { uid: Number(uid), name });
    });
  });
}
