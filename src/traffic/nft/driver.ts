/** Destination NAT on the director, by nft. Whatever it decides is in plan.ts. */

import type { TrafficConfig } from '../../config/config.ts';
import type { DesiredTraffic } from '../../controller/ports.ts';
import { formatEndpoint } from '../../kit/address.ts';
import { HsctlError, messageOf } from '../../kit/errors.ts';
import type { RunResult } from '../../kit/exec.ts';
import type { NodeId } from '../../model/roles.ts';
import { assertKnown, type Backend, resolveAddress, resolveBackends } from '../backends.ts';
import { type DirectorDriver, type Finding, findingOf, TOOL_TIMEOUT_MS, type TrafficDeps } from '../deps.ts';
import { familyOf } from '../family.ts';
import { tableName } from '../gate/plan.ts';
import { Latest } from '../latest.ts';
import { parseNft } from './parse.ts';
import { type NftActual, type NftTarget, planNft } from './plan.ts';

export type NftConfig = Extract<TrafficConfig, { readonly type: 'nft' }>;

/** A plan and a second one for what changed meanwhile; if the kernel still differs then, something fights with us. */
const TRIES = 2;
const PRIVILEGE_HINT = 'it needs root or CAP_NET_ADMIN, and nf_tables in the kernel';

export class NftDriver implements DirectorDriver {
  readonly name: string;
  readonly #config: NftConfig;
  readonly #group: string;
  readonly #backends: readonly Backend[];
  readonly #deps: TrafficDeps;
  readonly #latest: Latest<DesiredTraffic>;
  #target: NftTarget | null = null;
  /** Whether this machine has the program `conntrack`; null: not tried yet. */
  #conntrack: boolean | null = null;

  constructor(config: NftConfig, group: string, backends: readonly Backend[], deps: TrafficDeps) {
    this.name = `nft ${config.protocol} ${formatEndpoint(config.virtual)}`;
    this.#config = config;
    this.#group = group;
    this.#backends = backends;
    this.#deps = deps;
    this.#latest = new Latest((desired) => this.#bring(desired));
  }

  async apply(desired: DesiredTraffic): Promise<void> {
    assertKnown(this.#backends, desired.active);
    await this.#latest.submit(desired);
  }

  /** Null for UDP, and where the program `conntrack` is missing. */
  async connections(node: NodeId): Promise<number | null> {
    const target = await this.#prepare();
    const backend = target.backends.find((one) => one.node === node);
    if (backend === undefined || target.protocol !== 'tcp') return null;
    const listed = await this.#runConntrack('-L', target, backend.address, ['--state', 'ESTABLISHED']);
    return listed === null ? null : listed.split('\n').filter((line) => line.includes('ESTABLISHED')).length;
  }

  async close(): Promise<void> {
    await this.#latest.idle();
  }

  async remove(): Promise<void> {
    await this.#latest.idle();
    const { family, table } = await this.#prepare();
    // In one transaction, where adding what exists is no error.
    await this.#nft(['-f', '-'], `add table ${family} ${table}\ndelete table ${family} ${table}\n`);
  }

  async check(): Promise<readonly Finding[]> {
    const findings: Finding[] = [];
    try {
      const target = await this.#prepare();
      await this.#read(target);
      const setting = target.family === 'ip' ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding';
      const { stdout } = await this.#deps.run(['sysctl', '-n', setting], { timeoutMs: TOOL_TIMEOUT_MS });
      if (stdout.trim() === '0') {
        findings.push({ what: `${setting} is 0: packets are not passed on`, hint: `sysctl -w ${setting}=1` });
      }
      if ((await this.#runConntrack('-L', target, target.address, [])) === null) {
        findings.push({
          what: 'conntrack is missing: connections are not counted, and UDP clients may stay with the old master',
          hint: 'apt-get install conntrack',
        });
      }
    } catch (error) {
      findings.push(findingOf(error));
    }
    return findings;
  }

  async #bring(desired: DesiredTraffic): Promise<void> {
    const target = await this.#prepare();
    for (let attempt = 0; ; attempt += 1) {
      const steps = planNft(target, desired, await this.#read(target));
      if (steps.length === 0) break;
      if (attempt === TRIES) {
        throw new HsctlError(
          'failed',
          `${this.name}: not as it should be after ${TRIES} tries; still to do: ${steps.join('; ')}`,
          `see who else changes the table ${target.family} ${target.table}`,
        );
      }
      await this.#nft(['-f', '-'], `${steps.join('\n')}\n`);
    }
    await this.#forget(target, desired);
  }

  /** Has the kernel forget connections that must not go on, so that their next packet is a new one. */
  async #forget(target: NftTarget, desired: DesiredTraffic): Promise<void> {
    const stale = target.backends.filter(
      ({ node }) =>
        desired.dead.includes(node) ||
        // UDP clients never end a connection, so they would stay with the old master for as long as they talk.
        (target.protocol === 'udp' && desired.active !== null && node !== desired.active),
    );
    for (const { address } of stale) await this.#runConntrack('-D', target, address, []);
  }

  /** Null if there is no such program, or it failed. */
  async #runConntrack(
    action: '-L' | '-D',
    target: NftTarget,
    address: string,
    options: readonly string[],
  ): Promise<string | null> {
    if (this.#conntrack === false) return null;
    const family = target.family === 'ip' ? 'ipv4' : 'ipv6';
    const command = ['conntrack', action, '-f', family, '-p', target.protocol, '--orig-dst', target.address];
    try {
      const { stdout } = await this.#deps.run(
        [...command, '--orig-port-dst', String(target.port), '--reply-src', address, ...options],
        // 1: nothing found to delete.
        { timeoutMs: TOOL_TIMEOUT_MS, acceptExit: (code) => code === 0 || (action === '-D' && code === 1) },
      );
      this.#conntrack = true;
      return stdout;
    } catch (error) {
      this.#conntrack ??= false;
      this.#deps.logger.warn('conntrack failed', { driver: this.name, error: messageOf(error) });
      return null;
    }
  }

  async #read({ family, table, port }: NftTarget): Promise<NftActual | null> {
    const { stdout, stderr, exitCode } = await this.#nft(['-j', 'list', 'table', family, table], '', 1);
    if (exitCode === 0) return parseNft(stdout, port);
    if (stderr.includes('No such file or directory')) return null;
    throw new HsctlError('failed', `nft cannot list the table ${family} ${table}: ${stderr.trim()}`, PRIVILEGE_HINT);
  }

  /** `accepted`: an exit code other than 0 that is no error. */
  async #nft(options: readonly string[], input: string, accepted = 0): Promise<RunResult> {
    try {
      return await this.#deps.run(['nft', ...options], {
        timeoutMs: TOOL_TIMEOUT_MS,
        input,
        acceptExit: (code) => code === 0 || code === accepted,
      });
    } catch (error) {
      if (!(error instanceof HsctlError)) throw error;
      const hint = error.message.includes('no such program') ? 'apt-get install nftables' : PRIVILEGE_HINT;
      throw new HsctlError(error.code, error.message, hint, { cause: error });
    }
  }

  async #prepare(): Promise<NftTarget> {
    this.#target ??= await this.#prepareOnce();
    return this.#target;
  }

  async #prepareOnce(): Promise<NftTarget> {
    const { virtual, protocol } = this.#config;
    const family = familyOf(virtual.host) ?? 4;
    const address = await resolveAddress(virtual.host, family);
    return {
      table: tableName(this.#group, protocol, address, virtual.port),
      family: family === 4 ? 'ip' : 'ip6',
      protocol,
      address,
      port: virtual.port,
      backends: await resolveBackends(this.#backends, family),
    };
  }
}
