import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  read,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { type Scheduler, systemScheduler } from '../../kit/clock.ts';
import { makeDirectory } from '../../kit/make-directory.ts';
import { WriteBuffers } from './write-buffers.ts';
import { DirectWriter } from './direct-writer.ts';
import type { Disk, DiskFile, FileFacts } from './disk.ts';

const FLAGS = { read: 'r', write: 'r+', create: 'wx+' } as const;

class NodeFile implements DiskFile {
  readonly path: string;
  readonly #handle: number;
  readonly #pool: WriteBuffers;
  #bulk: DirectWriter | null = null;

  constructor(path: string, handle: number, pool: WriteBuffers) {
    this.path = path;
    this.#handle = handle;
    this.#pool = pool;
  }

  write(bytes: Uint8Array, position: number): void {
    this.flush();
    this.#write(bytes, position);
  }

  writeBulk(bytes: Uint8Array, position: number): void {
    this.#bulk ??= new DirectWriter(this.path, this.#pool, (part, at) => this.#write(part, at));
    this.#bulk.write(bytes, position);
  }

  get hasBulkRoom(): boolean {
    return this.#bulk?.hasRoom ?? true;
  }

  async bulkRoom(): Promise<void> {
    await this.#bulk?.room();
  }

  flush(): void {
    this.#bulk?.flush();
  }

  async finishBulk(): Promise<void> {
    await this.#bulk?.finish();
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    this.flush();
    let done = 0;
    while (done < length) {
      const got = readSync(this.#handle, into, offset + done, length - done, position + done);
      if (got === 0) break;
      done += got;
    }
    return done;
  }

  async readLater(into: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    this.flush();
    let done = 0;
    while (done < length) {
      const got = await this.#readOnce(into, offset + done, length - done, position + done);
      if (got === 0) break;
      done += got;
    }
    return done;
  }

  size(): number {
    this.flush();
    return fstatSync(this.#handle).size;
  }

  truncate(bytes: number): void {
    this.flush();
    if (this.#bulk?.isIdle === false)
      throw new Error('invariant broken: a file is truncated while it is being written');
    ftruncateSync(this.#handle, bytes);
  }

  async sync(): Promise<void> {
    await this.finishBulk();
    await new Promise<void>((resolve, reject) => {
      fdatasync(this.#handle, (error) => (error ? reject(error) : resolve()));
    });
  }

  syncNow(): void {
    this.flush();
    fdatasyncSync(this.#handle);
  }

  close(): void {
    this.#bulk?.close();
    closeSync(this.#handle);
  }

  #write(bytes: Uint8Array, position: number): void {
    let done = 0;
    while (done < bytes.length) done += writeSync(this.#handle, bytes, done, bytes.length - done, position + done);
  }

  #readOnce(into: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      read(this.#handle, into, offset, length, position, (error, got) => (error ? reject(error) : resolve(got)));
    });
  }
}

/** The machine's file system. */
export class NodeDisk implements Disk {
  readonly pid = process.pid;
  readonly #pool: WriteBuffers;

  constructor(scheduler: Scheduler = systemScheduler) {
    this.#pool = new WriteBuffers(scheduler);
  }

  makeDirectory(path: string): void {
    makeDirectory(path);
  }

  list(path: string): readonly string[] {
    return unlessAbsent(() => readdirSync(path)) ?? [];
  }

  stat(path: string): FileFacts | null {
    const facts = unlessAbsent(() => statSync(path));
    return facts === null ? null : { bytes: facts.size, modifiedWallMs: facts.mtimeMs, directory: facts.isDirectory() };
  }

  open(path: string, mode: 'read' | 'write' | 'create'): DiskFile {
    return new NodeFile(path, openSync(path, FLAGS[mode], 0o640), this.#pool);
  }

  rename(from: string, to: string): void {
    renameSync(from, to);
  }

  remove(path: string): void {
    rmSync(path);
  }

  syncDirectory(path: string): void {
    const handle = openSync(path, 'r');
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  }

  async syncDirectoryLater(path: string): Promise<void> {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  bootId(): string {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  }

  processStart(pid: number): string | null {
    const line = unlessAbsent(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
    // The second field is the program's name in brackets and may hold anything; the start is the 20th behind it.
    return line?.slice(line.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  }
}

function unlessAbsent<T>(ask: () => T): T | null {
  try {
    return ask();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ESRCH') return null;
    throw error;
  }
}
