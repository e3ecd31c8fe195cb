import type { Random } from '../../src/kit/random.ts';
import type { MemoryInode } from './memory-file.ts';

interface Change {
  readonly directory: string;
  readonly path: string;
  /** null: the name goes. */
  readonly inode: MemoryInode | null;
}

/** The names of a disk's files: as they are seen, and as they are on the platter. */
export class MemoryNames {
  #seen = new Map<string, MemoryInode>();
  readonly #platter = new Map<string, MemoryInode>();
  #changes: Change[] = [];

  find(path: string): MemoryInode | undefined {
    return this.#seen.get(path);
  }

  all(): readonly string[] {
    return [...this.#seen.keys()];
  }

  link(path: string, inode: MemoryInode): void {
    this.#seen.set(path, inode);
    this.#changes.push({ directory: directoryOf(path), path, inode });
  }

  unlink(path: string): void {
    this.#seen.delete(path);
    this.#changes.push({ directory: directoryOf(path), path, inode: null });
  }

  /** Names of one folder are on the platter from now on. */
  sync(directory: string): void {
    this.#changes = this.#changes.filter((change) => {
      if (change.directory !== directory) return true;
      this.#apply(change);
      return false;
    });
  }

  /** The machine goes down: the first few of the changes that were not synced are on the platter. */
  crash(random: Random): void {
    const kept = Math.floor(random() * (this.#changes.length + 1));
    for (const change of this.#changes.slice(0, kept)) this.#apply(change);
    this.#changes = [];
    this.#seen = new Map(this.#platter);
  }

  #apply({ path, inode }: Change): void {
    if (inode === null) this.#platter.delete(path);
    else this.#platter.set(path, inode);
  }
}

export function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
