import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { zstdDecompressSync } from 'node:zlib';
import { type ArchiveEntry, cpioArchive } from './cpio.ts';
import type { Kernel } from './kernel.ts';
import { payload } from './payload.ts';

/** What is needed to mount the shared root; all other modules are loaded from there. */
const BOOT_MODULES = ['virtio_pci', '9pnet_virtio', '9p', 'overlay'];
const BUSYBOX = '/bin/busybox';
const FOLDERS = ['bin', 'dev', 'lower', 'modules', 'root', 'upper', 'upper/work'];
/** What stands here is over the shared root; see guest/init. */
const CHANGES = 'upper/changes';

/** What the VM is to do. */
export interface VmJob {
  readonly kind: 'tests' | 'shell';
  /** Test files for `tests`, absolute. */
  readonly files: readonly string[];
}

/** The initial file system of the VM: busybox, modules, guest/init, guest/start, the job, and what is over the shared root. */
export async function makeInitramfs(kernel: Kernel, job: VmJob): Promise<Buffer> {
  const modules = await kernel.filesOf(BOOT_MODULES);
  return cpioArchive([
    ...FOLDERS.map((path) => ({ path })),
    { path: 'bin/busybox', content: readFileSync(BUSYBOX) },
    ...modules.map((file, index) => ({
      path: `modules/${String(index).padStart(2, '0')}`,
      content: readModule(file),
    })),
    ...['init', 'start'].map((path) => ({ path, content: guestFile(path) })),
    { path: 'job', content: Buffer.from(describe(kernel, job)) },
    ...overRoot(await payload()),
  ]);
}

/** Files at the places that they have here, each behind the folders that it stands in. */
function overRoot(files: readonly string[]): ArchiveEntry[] {
  const folders = new Set<string>(['']);
  const add = (folder: string): void => {
    if (folders.has(folder)) return;
    add(folder.slice(0, folder.lastIndexOf('/')));
    folders.add(folder);
  };
  for (const file of files) add(dirname(file));
  return [
    ...[...folders].map((folder) => ({ path: CHANGES + folder })),
    ...files.map((file) => ({ path: CHANGES + file, content: readFileSync(file) })),
  ];
}

/** A module as the kernel takes it. */
function readModule(file: string): Buffer {
  const bytes = readFileSync(file);
  if (file.endsWith('.zst')) return zstdDecompressSync(bytes);
  if (file.endsWith('.xz')) return execFileSync('xz', ['-dc'], { input: bytes, maxBuffer: 64 << 20 });
  return bytes;
}

function guestFile(name: string): Buffer {
  return readFileSync(new URL(`guest/${name}`, import.meta.url));
}

/** For the shell that reads it in guest/start. */
function describe(kernel: Kernel, job: VmJob): string {
  const project = fileURLToPath(new URL('../..', import.meta.url));
  const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
  return [
    `PROJECT=${quoted(project)}`,
    `NODE=${quoted(process.execPath)}`,
    `MODULES=${quoted(kernel.modules)}`,
    `JOB=${job.kind}`,
    `run_job() { "$@" ${job.files.map(quoted).join(' ')}; }`,
    '',
  ].join('\n');
}
