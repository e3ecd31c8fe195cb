import { diskFailure } from './disk-failure.ts';
import type { DiskFile } from './disk.ts';
import { EntryList } from './entry-list.ts';
import { encodeHint } from './hint-file.ts';
import type { Segment } from './segment.ts';
import type { Store } from './store.ts';
import { inTurns, turn } from './turns.ts';
import { UNFINISHED } from './write-durably.ts';

/** Written in one turn of the event loop. */
const CHUNK_BYTES = 128 * 1024;

/** Writes the hint files of segments that are complete and synced, oldest first, in turns. */
export class Sealer {
  readonly #store: Store;
  #running: Promise<void> | null = null;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Whether a segment is complete and synced, and has no hint file. */
  get due(): boolean {
    const { list } = this.#store.segments;
    return list.some((segment) => segment.sealedAtWallMs !== null && !segment.isSealed);
  }

  /** Resolves once every segment that can have a hint has one. Rejects as the disk does. */
  run(): Promise<void> {
    this.#running ??= this.#sealAll().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Resolves once nothing is being written, however that ended. */
  async idle(): Promise<void> {
    await this.#running?.catch(() => undefined);
  }

  async #sealAll(): Promise<void> {
    for (const segment of this.#store.segments.list) {
      if (segment.syncedBytes < segment.bytes || segment.sealedAtWallMs === null) return;
      if (!segment.isSealed) await this.#seal(segment);
    }
  }

  async #seal(segment: Segment): Promise<void> {
    const { disk, directory } = this.#store.options;
    const path = this.#store.path(segment.name, 'hint');
    await turn();
    if (segment.isSealed) return;
    const parts = await this.#partsFor(segment);
    try {
      if (disk.stat(path + UNFINISHED) !== null) disk.remove(path + UNFINISHED);
      const file = disk.open(path + UNFINISHED, 'create');
      try {
        await writeInTurns(file, parts, segment.shippedHint !== null);
        await file.sync();
      } finally {
        file.close();
      }
      disk.rename(path + UNFINISHED, path);
      await disk.syncDirectoryLater(directory);
    } catch (error) {
      throw diskFailure('write', path, 0, error);
    }
    segment.entries = null;
    segment.shippedHint = null;
  }

  async #partsFor(segment: Segment): Promise<readonly Uint8Array[]> {
    if (segment.shippedHint !== null) return [segment.shippedHint];
    const entries = segment.entries ?? new EntryList();
    return encodeHint(segment, await inTurns(entries.sorting()), this.#store.meta.store);
  }
}

/** What came with many others goes as bulk, as they do. */
async function writeInTurns(file: DiskFile, parts: readonly Uint8Array[], ofMany: boolean): Promise<void> {
  let at = 0;
  for (const part of parts) {
    for (let from = 0; from < part.length; from += CHUNK_BYTES) {
      const chunk = part.subarray(from, from + CHUNK_BYTES);
      if (ofMany) file.writeBulk(chunk, at);
      else file.write(chunk, at);
      at += chunk.length;
      await (file.hasBulkRoom ? turn() : file.bulkRoom());
    }
  }
}
