import { HsctlError, messageOf } from '../../kit/errors.ts';

/** What to do, by the code that the system gave. */
const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'make room on the file system and restart the agent',
  EDQUOT: 'raise the quota and restart the agent',
  EROFS: 'find out why the file system became read-only, mount it for writing and restart the agent',
  EIO: 'the device fails: replace it, empty the store directory and let the agent copy the state from its peer',
  EACCES: 'give the agent read and write access to the store directory',
  EPERM: 'give the agent read and write access to the store directory',
  EMFILE: 'raise the limit of open files (LimitNOFILE) and restart the agent',
  ENOENT: 'somebody removed files of the store: empty its directory and let the agent copy the state from its peer',
};

/** Words for a disk that refused: which file, where, why, and what to do. */
export function diskFailure(action: string, path: string, offset: number, thrown: unknown): HsctlError {
  if (thrown instanceof HsctlError) return thrown;
  const code = (thrown as { code?: unknown } | null)?.code;
  const hint = (typeof code === 'string' && HINTS[code]) || 'look at the system log for what happened to the disk';
  const why = messageOf(thrown);
  return new HsctlError('disk', `cannot ${action} ${path} at byte ${offset}: ${why}`, hint, { cause: thrown });
}

/** Bytes on the disk are not what was written there: unlike a disk that refuses, the store can be made anew from the peer. */
export class Damage extends HsctlError {}

const DAMAGE_HINT =
  'the agent moves the store to an archive and copies the state from its peer as soon as the peer reigns without this node; check the disk';

/** Words for bytes on the disk that are not what was written there. */
export function damagedFile(path: string, offset: number, what: string): Damage {
  return new Damage('disk', `${path} is damaged at byte ${offset}: ${what}`, DAMAGE_HINT);
}
