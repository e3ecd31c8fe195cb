import type { Random } from '../../src/kit/random.ts';
import type { Disk, DiskFile, FileFacts } from '../../src/replication/log/disk.ts';
import { MemoryInode } from './memory-file.ts';
import { MemoryNames, directoryOf } from './memory-names.ts';

/** What a disk gives that refuses; `code` as the system has it. */
class MemoryDiskError extends Error {
  readonly code: string;

  constructor(code: string, path: string) {
    super(`${code}: ${path}`);
    this.code = code;
  }
}

export interface MemoryDiskOptions {
  readonly random: Random;
  readonly wallMs?: () => number;
  /** Resolves when an asynchronous read or sync that begins now is done; at once by default. */
  readonly latency?: () => Promise<void>;
}

/**
 * A disk in memory that fails as real ones do. `kill` ends the process that uses it: open files are gone, what was written
 * stays. `powerOff` ends the machine: of what was not synced, any sectors may be lost, and of names that were not synced
 * all from some moment on.
 */
export class MemoryDisk implements Disk {
  /** Bytes that may still be written before the disk is full; a write that does not fit is done in part. */
  roomBytes = Infinity;
  readOnly = false;
  /** Paths with this part cannot be read (EIO); null for none. */
  unreadable: string | null = null;
  /** Syncs fail (EIO). */
  syncFails = false;
  /** Changes (writes, syncs, renames ...) that may still be made before the process is killed in the middle of one. */
  changesLeft = Infinity;
  /** Number of changes made so far. */
  changes = 0;
  readonly #names = new MemoryNames();
  readonly #directories = new Set<string>();
  readonly #options: Required<MemoryDiskOptions>;
  #process = 1;
  #boot = 1;

  constructor(options: MemoryDiskOptions) {
    this.#options = { wallMs: () => 0, latency: () => Promise.resolve(), ...options };
  }

  get pid(): number {
    return this.#process;
  }

  /** The disk for the present process, until `kill` or `powerOff`. */
  mount(): Disk {
    return new MountedDisk(this);
  }

  bootId(): string {
    return `boot-${this.#boot}`;
  }

  processStart(pid: number): string | null {
    return pid === this.#process ? `start-${pid}` : null;
  }

  /** The process is gone; a new one may use the disk. */
  kill(): void {
    this.#process += 1;
    this.changesLeft = Infinity;
  }

  powerOff(): void {
    const { random } = this.#options;
    const inodes = new Set(this.#names.all().map((path) => this.#names.find(path)!));
    this.#names.crash(random);
    for (const path of this.#names.all()) inodes.add(this.#names.find(path)!);
    for (const inode of inodes) inode.crash(random);
    this.#boot += 1;
    this.kill();
  }

  /** Turns over bits of a byte of a file. */
  flip(path: string, position: number, mask = 1): void {
    this.#need(path).flip(position, mask);
  }

  makeDirectory(path: string): void {
    this.#directories.add(path);
  }

  list(path: string): readonly string[] {
    const inside = (each: string): boolean => directoryOf(each) === path;
    const paths = [...this.#names.all().filter(inside), ...[...this.#directories].filter(inside)];
    return paths.map((each) => each.slice(path.length + 1));
  }

  stat(path: string): FileFacts | null {
    const inode = this.#names.find(path);
    if (inode !== undefined) return { bytes: inode.size, modifiedWallMs: inode.modifiedWallMs, directory: false };
    return this.#directories.has(path) ? { bytes: 0, modifiedWallMs: 0, directory: true } : null;
  }

  open(path: string, mode: 'read' | 'write' | 'create'): DiskFile {
    if (mode === 'create') {
      if (this.#names.find(path) !== undefined) throw new MemoryDiskError('EEXIST', path);
      this.change(path);
      this.#names.link(path, new MemoryInode());
    }
    return new MemoryHandle(this, path, this.#need(path), this.#process);
  }

  rename(from: string, to: string): void {
    const inode = this.#need(from);
    this.change(from);
    this.#names.link(to, inode);
    this.#names.unlink(from);
  }

  remove(path: string): void {
    this.#need(path);
    this.change(path);
    this.#names.unlink(path);
  }

  syncDirectory(path: string): void {
    this.change(path);
    this.#names.sync(path);
  }

  async syncDirectoryLater(path: string): Promise<void> {
    const process = this.#process;
    await this.latency();
    if (process !== this.#process) throw new MemoryDiskError('KILLED', path);
    this.syncDirectory(path);
  }

  /** To be called before each change: throws if the disk does not take it, or the process dies here. */
  change(path: string): void {
    this.changes += 1;
    this.changesLeft -= 1;
    if (this.changesLeft < 0) throw new MemoryDiskError('KILLED', path);
    if (this.readOnly) throw new MemoryDiskError('EROFS', path);
  }

  /** Writes as much as there is room for and the process lives to see. */
  write(inode: MemoryInode, path: string, bytes: Uint8Array, position: number): void {
    const grows = Math.max(0, position + bytes.length - inode.size);
    const dies = this.changesLeft === 0;
    const part = dies
      ? Math.floor(this.#options.random() * bytes.length)
      : bytes.length - Math.max(0, grows - this.roomBytes);
    if (!this.readOnly && part > 0) {
      const sizeBefore = inode.size;
      inode.write(bytes.subarray(0, part), position);
      inode.modifiedWallMs = this.#options.wallMs();
      this.roomBytes -= inode.size - sizeBefore;
    }
    this.change(path);
    if (part < bytes.length) throw new MemoryDiskError('ENOSPC', path);
  }

  latency(): Promise<void> {
    return this.#options.latency();
  }

  get process(): number {
    return this.#process;
  }

  #need(path: string): MemoryInode {
    const inode = this.#names.find(path);
    if (inode === undefined) throw new MemoryDiskError('ENOENT', path);
    return inode;
  }
}

/** So many writes of bulk stay in memory at most. */
const KEPT_WRITES = 3;

class MemoryHandle implements DiskFile {
  readonly path: string;
  readonly #disk: MemoryDisk;
  readonly #inode: MemoryInode;
  readonly #process: number;
  /** What came as bulk and is not written: gone with the process. */
  readonly #kept: { readonly bytes: Uint8Array; readonly position: number }[] = [];
  #open = true;

  constructor(disk: MemoryDisk, path: string, inode: MemoryInode, owner: number) {
    this.#disk = disk;
    this.path = path;
    this.#inode = inode;
    this.#process = owner;
  }

  write(bytes: Uint8Array, position: number): void {
    this.#useFlushed();
    this.#disk.write(this.#inode, this.path, bytes, position);
  }

  writeBulk(bytes: Uint8Array, position: number): void {
    this.#use();
    this.#kept.push({ bytes: bytes.slice(), position });
    while (this.#kept.length > KEPT_WRITES) this.#writeKept();
  }

  flush(): void {
    this.#useFlushed();
  }

  get hasBulkRoom(): boolean {
    return this.#kept.length < KEPT_WRITES;
  }

  async bulkRoom(): Promise<void> {
    await this.finishBulk();
  }

  async finishBulk(): Promise<void> {
    await this.#disk.latency();
    this.#useFlushed();
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    this.#useFlushed();
    const { unreadable } = this.#disk;
    if (unreadable !== null && this.path.includes(unreadable)) throw new MemoryDiskError('EIO', this.path);
    return this.#inode.read(into, offset, length, position);
  }

  async readLater(into: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    const got = this.read(into, offset, length, position);
    await this.#disk.latency();
    this.#use();
    return got;
  }

  size(): number {
    this.#useFlushed();
    return this.#inode.size;
  }

  truncate(bytes: number): void {
    this.#useFlushed();
    this.#disk.change(this.path);
    this.#inode.truncate(bytes);
  }

  async sync(): Promise<void> {
    this.#useFlushed();
    const finish = this.#inode.planSync();
    await this.#disk.latency();
    this.#use();
    this.#changeForSync();
    finish();
  }

  syncNow(): void {
    this.#useFlushed();
    this.#changeForSync();
    this.#inode.planSync()();
  }

  close(): void {
    this.#use();
    this.#open = false;
  }

  #changeForSync(): void {
    this.#disk.change(this.path);
    if (this.#disk.syncFails) throw new MemoryDiskError('EIO', this.path);
  }

  #useFlushed(): void {
    this.#use();
    while (this.#kept.length > 0) this.#writeKept();
  }

  #writeKept(): void {
    const { bytes, position } = this.#kept[0]!;
    this.#disk.write(this.#inode, this.path, bytes, position);
    this.#kept.shift();
  }

  #use(): void {
    if (!this.#open) throw new MemoryDiskError('EBADF', this.path);
    if (this.#process !== this.#disk.process) throw new MemoryDiskError('KILLED', this.path);
  }
}

/** The disk as one process sees it: once that process is gone, nothing that it left running can change anything. */
class MountedDisk implements Disk {
  readonly pid: number;
  readonly #disk: MemoryDisk;

  constructor(disk: MemoryDisk) {
    this.#disk = disk;
    this.pid = disk.pid;
  }

  makeDirectory(path: string): void {
    this.#alive().makeDirectory(path);
  }

  list(path: string): readonly string[] {
    return this.#alive().list(path);
  }

  stat(path: string): FileFacts | null {
    return this.#alive().stat(path);
  }

  open(path: string, mode: 'read' | 'write' | 'create'): DiskFile {
    return this.#alive().open(path, mode);
  }

  rename(from: string, to: string): void {
    this.#alive().rename(from, to);
  }

  remove(path: string): void {
    this.#alive().remove(path);
  }

  syncDirectory(path: string): void {
    this.#alive().syncDirectory(path);
  }

  syncDirectoryLater(path: string): Promise<void> {
    return this.#alive().syncDirectoryLater(path);
  }

  bootId(): string {
    return this.#alive().bootId();
  }

  processStart(pid: number): string | null {
    return this.#alive().processStart(pid);
  }

  #alive(): MemoryDisk {
    if (this.pid !== this.#disk.pid) throw new MemoryDiskError('KILLED', 'process');
    return this.#disk;
  }
}
