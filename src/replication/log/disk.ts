/**
 * The disk as the log sees it: few calls, so that a simulated one can lose what was not synced and tear what was
 * being written. All but those named `...Later` and `sync` are synchronous: what `write` took is seen by every
 * later `read`, of this process and of the next, unless the machine goes down before a `sync`.
 *
 * Implementations throw whatever their platform throws; `diskFailure` (disk-failure.ts) words it.
 */
export interface Disk {
  /** Makes the directory and those above it, if they are not there. */
  makeDirectory(path: string): void;
  /** Names in the directory, in no order; empty if it is not there. */
  list(path: string): readonly string[];
  stat(path: string): FileFacts | null;
  /** `create` fails if the file is there; `read` and `write` fail if it is not. */
  open(path: string, mode: 'read' | 'write' | 'create'): DiskFile;
  rename(from: string, to: string): void;
  /** Removes a file. */
  remove(path: string): void;
  /** Makes names that were made, renamed or removed in this directory durable. */
  syncDirectory(path: string): void;
  /** The same without holding up the caller. */
  syncDirectoryLater(path: string): Promise<void>;
  /** Changes with each start of the machine. */
  bootId(): string;
  /** The process that uses the disk. */
  readonly pid: number;
  /** When a process started, as a word that differs between processes with the same pid; null if there is none. */
  processStart(pid: number): string | null;
}

export interface FileFacts {
  readonly bytes: number;
  readonly modifiedWallMs: number;
  readonly directory: boolean;
}

export interface DiskFile {
  readonly path: string;
  /** Writes all of `bytes`, or throws. */
  write(bytes: Uint8Array, position: number): void;
  /**
   * The same for much that comes in order and is not read soon. It may stay in memory and is lost then if the process is
   * killed, but nothing behind it is there without it. Every other call on this file finds it written, and throws what
   * prevents that.
   */
  writeBulk(bytes: Uint8Array, position: number): void;
  /** Whether there is memory for more of it; if not, `writeBulk` holds the caller up as `write` does. */
  readonly hasBulkRoom: boolean;
  /** Resolves once there is. */
  bulkRoom(): Promise<void>;
  /** Writes what `writeBulk` has kept in memory. */
  flush(): void;
  /** The same without holding up the caller; nothing of it goes on in the background then, so that the file may be truncated. */
  finishBulk(): Promise<void>;
  /** Fills into[offset, offset + length) from `position` on; returns how many bytes there were. */
  read(into: Uint8Array, offset: number, length: number, position: number): number;
  /** The same without holding up the caller. */
  readLater(into: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  size(): number;
  truncate(bytes: number): void;
  /** Resolves once all that was written is on stable storage. */
  sync(): Promise<void>;
  syncNow(): void;
  close(): void;
}
