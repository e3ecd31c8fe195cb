import { HsctlError } from '../../kit/errors.ts';
import type { LogPosition } from '../../model/position.ts';
import { archivePath, writeArchive } from './archive.ts';
import { type TailStart, prepareCut } from './cut-tail.ts';
import type { Store } from './store.ts';

/** See `Log.cut`. Nothing else may be changing the log meanwhile. */
export async function cutLog(store: Store, position: LogPosition): Promise<string> {
  const tail = tailBehind(store, position);
  if (tail === null) return '';
  await store.syncer.sync();
  const path = await archiveTail(store, position, tail);
  const prepared = await prepareCut(store, tail);
  store.reader.noteCut();
  prepared.commit();
  store.history.cut(position.seq);
  return path;
}

/** See `Log.reset` and `Log.repair`; the archive gets this name, or one like it that is free. */
export function resetLog(store: Store, name: string): string {
  const { disk, directory } = store.options;
  const path = archivePath(disk, directory, name);
  store.meta.beginMove(path);
  store.forgetAll();
  store.moveAway(path);
  return path;
}

/** Where the tail begins, or null if there is none. */
function tailBehind(store: Store, position: LogPosition): TailStart | null {
  const { segments, reader, meta } = store;
  const known = reader.positionAt(position.seq);
  if (known === null || known.epoch !== position.epoch || known.hash !== position.hash) {
    throw cannotCut(position, 'the log has no batch that ends there');
  }
  if (position.seq === segments.end.seq) return null;
  if (position.seq < meta.floor) throw cannotCut(position, `records up to ${meta.floor} were compacted`);
  const index = segments.list.findIndex((segment) => segment.end.seq > position.seq);
  const segment = segments.list[index]!;
  return { segment, offset: reader.offsetBehind(segment, position.seq), later: segments.list.slice(index + 1) };
}

async function archiveTail(store: Store, position: LogPosition, tail: TailStart): Promise<string> {
  const { disk, directory } = store.options;
  const path = archivePath(disk, directory, `tail-${position.seq + 1}-${store.segments.end.seq}.log`);
  const later = tail.later.map((segment) => ({ segment, from: 0 }));
  await writeArchive(disk, directory, path, [{ segment: tail.segment, from: tail.offset }, ...later]);
  return path;
}

function cannotCut(position: LogPosition, why: string): HsctlError {
  return new HsctlError(
    'refused',
    `the log cannot be cut behind ${position.epoch}-${position.seq}: ${why}`,
    'move the whole log to an archive and copy the state from the peer',
  );
}
