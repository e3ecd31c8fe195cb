/** What goes into an archive for the kernel's initramfs: a folder if it has no content. */
export interface ArchiveEntry {
  /** Relative to the root, `bin/busybox`. */
  readonly path: string;
  readonly content?: Buffer;
}

/** An archive in cpio's format "newc", which the kernel unpacks at boot. Everything in it may be executed. */
export function cpioArchive(entries: readonly ArchiveEntry[]): Buffer {
  const parts = entries.flatMap((entry, index) => member(entry, index + 1));
  return Buffer.concat([...parts, ...member({ path: 'TRAILER!!!' }, 0)]);
}

const FOLDER = 0o040755;
const PROGRAM = 0o100755;

function member({ path, content }: ArchiveEntry, inode: number): Buffer[] {
  const name = Buffer.from(`${path}\0`);
  const bytes = content ?? Buffer.alloc(0);
  const fields = [
    inode,
    content === undefined ? FOLDER : PROGRAM,
    0,
    0,
    1,
    0,
    bytes.length,
    0,
    0,
    0,
    0,
    name.length,
    0,
  ];
  const header = Buffer.from(`070701${fields.map((value) => value.toString(16).padStart(8, '0')).join('')}`);
  return [padded(Buffer.concat([header, name])), padded(bytes)];
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
