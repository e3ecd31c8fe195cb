import type { Random } from '../../src/kit/random.ts';

/** What a disk writes at once or not at all. */
const SECTOR_BYTES = 512;

interface Range {
  readonly from: number;
  readonly to: number;
}

/** A file's content: as the page cache has it, and as it is on the platter. */
export class MemoryInode {
  modifiedWallMs = 0;
  #cache = new Uint8Array(0);
  #size = 0;
  #platter = new Uint8Array(0);
  #platterSize = 0;
  /** Parts of the cache that may not be on the platter. */
  #dirty: Range[] = [];
  #truncated = false;

  get size(): number {
    return this.#size;
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    const part = this.#cache.subarray(Math.min(position, this.#size), Math.min(position + length, this.#size));
    into.set(part, offset);
    return part.length;
  }

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    if (end > this.#cache.length) this.#cache = grown(this.#cache, end);
    if (position > this.#size) this.#cache.fill(0, this.#size, position);
    this.#cache.set(bytes, position);
    this.#size = Math.max(this.#size, end);
    this.#dirty.push({ from: position, to: end });
  }

  truncate(size: number): void {
    if (size < this.#size) this.#truncated = true;
    else this.write(new Uint8Array(size - this.#size), this.#size);
    this.#size = size;
    this.#dirty = this.#dirty.flatMap(({ from, to }) => (from < size ? [{ from, to: Math.min(to, size) }] : []));
  }

  /** A sync that was asked for now; to be called when it is done. */
  planSync(): () => void {
    const dirty = [...this.#dirty];
    const truncated = this.#truncated;
    return () => {
      for (const range of dirty) this.#flush(range);
      if (truncated) {
        this.#platterSize = Math.min(this.#platterSize, this.#size);
        this.#truncated = false;
      }
      this.#dirty = this.#dirty.filter((range) => !dirty.includes(range));
    };
  }

  /** The machine goes down: some of what was not synced is on the platter, some is not. */
  crash(random: Random): void {
    if (this.#truncated && random() < 0.5) this.#platterSize = Math.min(this.#platterSize, this.#size);
    const keep = random();
    for (const { from, to } of this.#dirty) {
      for (let at = from - (from % SECTOR_BYTES); at < to; at += SECTOR_BYTES) {
        const sector = { from: Math.max(at, from), to: Math.min(at + SECTOR_BYTES, to) };
        if (random() < keep) this.#flush(sector);
        else if (random() < 0.5) this.#extend(sector.to);
      }
    }
    this.#cache = this.#platter.slice(0, this.#platterSize);
    this.#size = this.#platterSize;
    this.#dirty = [];
    this.#truncated = false;
  }

  /** Turns bits of one byte over, in the cache and on the platter. */
  flip(position: number, mask: number): void {
    this.#cache[position] = this.#cache[position]! ^ mask;
    if (position < this.#platterSize) this.#platter[position] = this.#platter[position]! ^ mask;
  }

  #flush({ from, to }: Range): void {
    const end = Math.min(to, this.#size);
    if (end <= from) return;
    this.#extend(end);
    this.#platter.set(this.#cache.subarray(from, end), from);
  }

  #extend(size: number): void {
    if (size > this.#platter.length) this.#platter = grown(this.#platter, size);
    if (size <= this.#platterSize) return;
    this.#platter.fill(0, this.#platterSize, size);
    this.#platterSize = size;
  }
}

function grown(bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(size, 2 * bytes.length, 256));
  larger.set(bytes);
  return larger;
}
