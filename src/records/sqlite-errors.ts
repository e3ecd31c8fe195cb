import { HsctlError, messageOf } from '../kit/errors.ts';

/** SQLite's primary result codes that an operator can act on, with what to do. */
const ADVICE: Readonly<Record<number, readonly [what: string, hint: string]>> = {
  5: ['is in use by another process', 'stop the other controller that uses the same state directory'],
  8: ['cannot be written', 'give the controller write access to its state directory'],
  10: ['could not be read or written', 'look for disk errors in the kernel log'],
  11: ['is damaged', 'restore it from a backup, or move it away to start with empty records'],
  13: ['cannot grow: the disk is full', 'free space on the file system of the state directory'],
  14: ['cannot be opened', 'check that the state directory exists and that the controller may write there'],
  26: ['is not a database', 'restore it from a backup, or move it away to start with empty records'],
};

const PRIMARY_CODE_MASK = 0xff;

/** What `action` on the records in `path` threw, as an operator's error. Errors that are none of SQLite's are returned as they are. */
export function sqliteError(thrown: unknown, path: string): unknown {
  if (!(thrown instanceof Error) || !('errcode' in thrown) || typeof thrown.errcode !== 'number') return thrown;
  const advice = ADVICE[thrown.errcode & PRIMARY_CODE_MASK];
  if (advice === undefined) {
    return new HsctlError('disk', `records in ${path}: ${messageOf(thrown)}`, 'look at the disk', {
      cause: thrown,
    });
  }
  const [what, hint] = advice;
  return new HsctlError('disk', `${path} ${what}: ${messageOf(thrown)}`, hint, { cause: thrown });
}
