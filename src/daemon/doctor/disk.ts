import {
  existsSync,
  openSync,
  closeSync,
  fsyncSync,
  rmSync,
  statfsSync,
  writeSync,
  accessSync,
  constants,
  mkdtempSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clock } from '../../kit/clock.ts';
import { messageOf } from '../../kit/errors.ts';
import { critical, fine, warning, type Look } from './finding.ts';

const GIBIBYTE = 2 ** 30;
const LEAST_FREE_BYTES = GIBIBYTE;
/** Below this, even a small store fills the disk within its first compaction. */
const CRITICAL_FREE_BYTES = GIBIBYTE / 8;
const SYNCS = 10;
const SYNC_BYTES = 4096;
/** A decision waits for one sync; with `fsync: always` each write does. */
const SLOW_SYNC_MS = 20;
const TMPFS = 0x0102_1994;
const NETWORK_TYPES: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff53_4d42, 'CIFS'],
  [0xfe53_4d42, 'SMB'],
]);

/** The disk of a directory that a role writes to, or that it will make. `keeps`: what is lost with it. */
export function lookAtDisk(directory: string, keeps: string, clock: Clock): readonly Look[] {
  const check = `disk of ${directory}`;
  let place = directory;
  while (!existsSync(place) && place !== '/') place = dirname(place);
  try {
    return [space(place, check, keeps), sync(place, check, clock)];
  } catch (error) {
    return [warning(check, messageOf(error), 'run hsctl doctor as the user of the daemon')];
  }
}

function space(place: string, check: string, keeps: string): Look {
  const { bavail, bsize, type } = statfsSync(place);
  const freeBytes = bavail * bsize;
  const free = `${(freeBytes / GIBIBYTE).toFixed(1)} GiB free`;
  if (freeBytes < CRITICAL_FREE_BYTES) return critical(check, free, 'make room, or name another directory');
  if (freeBytes < LEAST_FREE_BYTES) return warning(check, free, 'make room: compaction needs twice the live data');
  if (type === TMPFS)
    return warning(check, `tmpfs: ${keeps} is lost when the machine restarts`, 'name a directory on a disk');
  const network = NETWORK_TYPES.get(type);
  if (network !== undefined)
    return warning(check, `${network}: its locks and syncs are not to be relied on`, 'name a local disk');
  return fine(check, free);
}

/** How long a sync takes, by a file that is gone afterwards. */
function sync(place: string, check: string, clock: Clock): Look {
  try {
    accessSync(place, constants.W_OK);
  } catch {
    return warning(check, `${place} cannot be written by this user`, 'run hsctl doctor as the user of the daemon');
  }
  const folder = mkdtempSync(join(place, '.hsctl-doctor-'));
  try {
    const file = openSync(join(folder, 'sync'), 'wx', 0o600);
    const bytes = Buffer.alloc(SYNC_BYTES);
    let worstMs = 0;
    for (let count = 0; count < SYNCS; count += 1) {
      const beganMs = clock.monotonicMs();
      writeSync(file, bytes);
      fsyncSync(file);
      worstMs = Math.max(worstMs, clock.monotonicMs() - beganMs);
    }
    closeSync(file);
    const found = `a sync takes up to ${worstMs.toFixed(1)} ms`;
    return worstMs > SLOW_SYNC_MS
      ? warning(`${check}, sync`, `${found}: decisions wait for it`, 'name a directory on a faster disk')
      : fine(`${check}, sync`, found);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
