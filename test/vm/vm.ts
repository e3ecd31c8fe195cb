import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { newFolder } from './folder.ts';
import { makeInitramfs, type VmJob } from './initramfs.ts';
import { Kernel } from './kernel.ts';
import type { VmLine, VmResult, VmSaid } from './result.ts';

const MEMORY_MIB = 2048;
/** Without what makes kernel and libraries copy by instructions that repeat themselves, which are emulated a turn at a time. */
const PROCESSOR = 'max,-erms,-fsrm';
const KERNEL_OPTIONS = [
  'console=ttyS0 quiet loglevel=3 panic=-1 oops=panic mitigations=off',
  // Programs at fixed addresses: what was translated of one serves the next.
  'norandmaps',
  // As for the processor.
  'clearcpuid=rep_good',
  // One clock for all emulated processors, read in place: any other is a device, and reading it leaves the emulation.
  'tsc=reliable clocksource=tsc',
];
const TAIL_CHARACTERS = 8192;

/**
 * Arguments of QEMU for a machine without network on this one's root, read-only. It is emulated in software: slow, but
 * works wherever a container does. A panic, like a reboot, ends the machine.
 */
function qemuArguments(kernel: Kernel, initramfs: string): string[] {
  return [
    // Ends with this process, whatever ends that.
    ['setpriv', '--pdeathsig', 'KILL'],
    ['qemu-system-x86_64', '-accel', 'tcg,thread=multi', '-cpu', PROCESSOR, '-smp', '2', '-m', String(MEMORY_MIB)],
    ['-nodefaults', '-no-user-config', '-display', 'none', '-nic', 'none', '-no-reboot'],
    ['-kernel', kernel.image, '-initrd', initramfs],
    ['-append', KERNEL_OPTIONS.join(' ')],
    ['-virtfs', 'local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap'],
  ].flat();
}

/** A virtual machine that runs test files; see README.md beside. */
export class TestVm {
  readonly #folder: string;
  readonly #server: Server;
  readonly #qemu: ChildProcess;
  readonly #ended: Promise<string>;
  #console = '';

  private constructor(folder: string, server: Server, qemu: ChildProcess, onConsole: (text: string) => void) {
    this.#folder = folder;
    this.#server = server;
    this.#qemu = qemu;
    for (const stream of [qemu.stdout, qemu.stderr]) {
      stream?.setEncoding('latin1').on('data', (text: string) => {
        this.#console = (this.#console + text).slice(-TAIL_CHARACTERS);
        onConsole(text);
      });
    }
    this.#ended = new Promise((resolve) => {
      qemu.once('error', (error) => resolve(error.message));
      qemu.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
  }

  /** Starts a machine for test files (absolute); `onConsole` gets what it prints. To be closed. @throws Error when there is no kernel or no QEMU */
  static async start(files: readonly string[], onConsole: (text: string) => void = () => undefined): Promise<TestVm> {
    const kernel = Kernel.find();
    const folder = newFolder();
    try {
      const initramfs = await writeInitramfs(folder, kernel, { kind: 'tests', files });
      const socket = join(folder, 'results.sock');
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(socket, resolve));
      const [program, ...options] = [
        ...qemuArguments(kernel, initramfs),
        '-chardev',
        'stdio,id=console,signal=off',
        '-serial',
        'chardev:console',
        '-chardev',
        `socket,id=results,path=${socket}`,
        '-serial',
        'chardev:results',
      ];
      return new TestVm(folder, server, spawn(program, options, { stdio: ['ignore', 'pipe', 'pipe'] }), onConsole);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /**
   * Results, and what tests printed, as they come. Ends once the machine told that all were run; otherwise
   * @throws Error with the end of what it printed: it panicked, hung for `limitMs`, or QEMU could not be started
   */
  async *results(limitMs: number): AsyncGenerator<VmResult | VmSaid> {
    const limit = setTimeout(() => this.#qemu.kill('SIGKILL'), limitMs);
    try {
      yield* this.#received();
    } finally {
      clearTimeout(limit);
    }
  }

  async *#received(): AsyncGenerator<VmResult | VmSaid> {
    const ended = this.#ended.then((how) => ({ how }));
    const connected = new Promise<Socket>((resolve) => this.#server.once('connection', resolve));
    const port = await Promise.race([connected, ended]);
    if (!('how' in port)) {
      for await (const text of createInterface({ input: port })) {
        const line = JSON.parse(text) as VmLine;
        if (line.kind === 'end') return;
        yield line;
      }
    }
    throw new Error(`the VM ended (${(await ended).how}) before it had run all tests\n${this.tail}`);
  }

  /** The last of what it printed. */
  get tail(): string {
    return `--- console of the VM:\n${this.#console}`;
  }

  /** Stops the machine unless it has ended, and removes its files. */
  async close(): Promise<void> {
    this.#qemu.kill('SIGKILL');
    await this.#ended;
    this.#server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A shell in such a machine on this terminal; resolves to QEMU's exit code when it is left. */
export async function openShell(): Promise<number> {
  const kernel = Kernel.find();
  const folder = newFolder();
  try {
    const initramfs = await writeInitramfs(folder, kernel, { kind: 'shell', files: [] });
    const [program, ...options] = [
      ...qemuArguments(kernel, initramfs),
      '-chardev',
      'stdio,id=console,mux=on,signal=off',
      '-serial',
      'chardev:console',
      '-mon',
      'chardev=console',
    ];
    const qemu = spawn(program, options, { stdio: 'inherit' });
    return await new Promise<number>((resolve, reject) => {
      qemu.once('error', reject);
      qemu.once('close', (code) => resolve(code ?? 1));
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function writeInitramfs(folder: string, kernel: Kernel, job: VmJob): Promise<string> {
  const file = join(folder, 'initramfs');
  writeFileSync(file, await makeInitramfs(kernel, job));
  return file;
}
