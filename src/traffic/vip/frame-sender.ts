import { fileURLToPath } from 'node:url';
import { messageOf } from '../../kit/errors.ts';
import { type NodeTrafficDeps, TOOL_TIMEOUT_MS } from '../deps.ts';
import { OpenTool, type ToolAnswer } from '../open-tool.ts';
import { ipv4Bytes, ipv6Bytes } from '../packed-address.ts';
import { announcementFrames, probeFrame } from './frames.ts';
import type { VirtualAddress } from './plan.ts';

/** It lies at the same distance from the sources and from their build. */
const PROGRAM = fileURLToPath(new URL('../../../scripts/vip/send-frames.pl', import.meta.url));
const ADDRESS_LINE = /^[0-9a-f]{12}$/;
const CLAIM_LINE = /^claim ([0-9a-f]{12})$/;

/** Announces an address by frames of our own, sent by a program that is kept open, and hears who else claims it. */
export class FrameSender {
  readonly #vip: VirtualAddress;
  readonly #deps: NodeTrafficDeps;
  readonly #command: readonly string[];
  readonly #tool: OpenTool;
  /** Hardware address of the interface as last heard, in hexadecimal; null while it has none. */
  #hardware: string | null = null;

  constructor(vip: VirtualAddress, deps: NodeTrafficDeps) {
    this.#vip = vip;
    this.#deps = deps;
    this.#command = ['perl', PROGRAM, vip.interface];
    this.#tool = new OpenTool({ command: this.#command, endQuery: 'end', endLine: /^end$/ }, deps);
  }

  /** Why this machine cannot send frames; null if it can. An interface that is not there (yet) is no reason. */
  async fault(): Promise<string | null> {
    try {
      await this.#deps.run(this.#command, { timeoutMs: TOOL_TIMEOUT_MS, input: 'end\n' });
      return null;
    } catch (error) {
      return messageOf(error);
    }
  }

  /** Keeps the program open from now on. @throws HsctlError('failed') when it cannot be started. */
  async start(): Promise<void> {
    await this.#tool.start();
    await this.#submit(
      [],
      () => false,
      () => undefined,
    );
  }

  /**
   * Announces once, and asks whether another machine has the address: the frames are with the program when this returns.
   * `onClaims` gets the hardware addresses of those that claimed the address since the announcement before this one. If
   * the interface turns out to have another hardware address by now, announces that too as long as it `isWanted`. False
   * if it cannot: the program is not there, or the interface is not known to have a hardware address.
   */
  announce(isWanted: () => boolean, onClaims: (hardware: readonly string[]) => void): boolean {
    if (!this.#tool.ready) return false;
    const known = this.#hardware;
    void this.#submit(known === null ? [] : this.#lines(known), isWanted, onClaims);
    return known !== null;
  }

  close(): Promise<void> {
    return this.#tool.close();
  }

  async #submit(
    lines: readonly string[],
    isWanted: () => boolean,
    onClaims: (hardware: readonly string[]) => void,
  ): Promise<void> {
    const before = this.#hardware;
    const answer = await this.#tool.submit([...lines, 'address']).catch((error: unknown): ToolAnswer => {
      return { stdout: [], complaints: [messageOf(error)] };
    });
    const { stdout, complaints } = answer;
    if (complaints.length > 0) this.#deps.logger.debug('announcement failed', { error: complaints.join('; ') });
    this.#hardware = stdout.find((line) => ADDRESS_LINE.test(line)) ?? null;
    if (!isWanted()) return;
    if (lines.length > 0) onClaims(stdout.flatMap((line) => CLAIM_LINE.exec(line)?.[1] ?? []));
    if (this.#hardware !== null && this.#hardware !== before) this.announce(isWanted, onClaims);
  }

  #lines(hardware: string): readonly string[] {
    const vip = this.#vip;
    const own = [...Buffer.from(hardware, 'hex')];
    const address = vip.family === 6 ? ipv6Bytes(vip.address) : ipv4Bytes(vip.address);
    return [
      // Before the question, so that its answers are among the next claims.
      `claims ${Buffer.from(address).toString('hex')}`,
      ...[...announcementFrames(vip, own), probeFrame(vip, own)].map(
        (frame) => `send ${Buffer.from(frame).toString('hex')}`,
      ),
    ];
  }
}
