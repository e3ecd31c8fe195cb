/** A name that follows the master. Whatever it decides is in plan.ts. */

import { readFile } from 'node:fs/promises';
import type { TrafficConfig } from '../../config/config.ts';
import type { DesiredTraffic } from '../../controller/ports.ts';
import { canonicalHost, formatEndpoint } from '../../kit/address.ts';
import { HsctlError, messageOf } from '../../kit/errors.ts';
import type { NodeId } from '../../model/roles.ts';
import { assertKnown, type Backend, resolveAddress } from '../backends.ts';
import { type DirectorDriver, type Finding, findingOf, type TrafficDeps } from '../deps.ts';
import { familyOf } from '../family.ts';
import { Latest } from '../latest.ts';
import { withServer } from './exchange.ts';
import { type DnsKey, parseKey } from './key.ts';
import { updateMessage } from './message.ts';
import { type DnsTarget, harmlessRecord, planDns, updateRecords } from './plan.ts';
import { SignedTalk } from './signed-talk.ts';

export type DnsConfig = Extract<TrafficConfig, { readonly type: 'dns' }>;

/** A change and a second one for what happened meanwhile; if the server still differs then, something fights with us. */
const TRIES = 2;
const SECOND_MS = 1000;

export class DnsDriver implements DirectorDriver {
  readonly name: string;
  readonly #config: DnsConfig;
  readonly #backends: readonly Backend[];
  readonly #deps: TrafficDeps;
  readonly #latest: Latest<DesiredTraffic>;
  #target: DnsTarget | null = null;
  #lastId = 0;

  constructor(config: DnsConfig, backends: readonly Backend[], deps: TrafficDeps) {
    this.name = `dns ${config.name}`;
    this.#config = config;
    this.#backends = backends;
    this.#deps = deps;
    this.#latest = new Latest((desired) => this.#bring(desired));
  }

  async apply(desired: DesiredTraffic): Promise<void> {
    assertKnown(this.#backends, desired.active);
    await this.#latest.submit(desired);
  }

  /** Null: a name server sees no connections. */
  async connections(): Promise<number | null> {
    return null;
  }

  async close(): Promise<void> {
    await this.#latest.idle();
  }

  async check(): Promise<readonly Finding[]> {
    try {
      await this.#talk(async (server) => {
        await server.actual();
        await server.update(updateMessage(this.#nextId(), server.target.zone, [harmlessRecord(server.target)]));
      });
      return [];
    } catch (error) {
      return [findingOf(error)];
    }
  }

  /**
   * While nobody serves the name stays where it is: without it, resolvers would remember for long that it does not exist.
   */
  async #bring(desired: DesiredTraffic): Promise<void> {
    const { active, dead } = desired;
    if (active === null || dead.includes(active)) return;
    await this.#talk(async (server) => {
      for (let attempt = 0; ; attempt += 1) {
        const change = planDns(server.target, active, await server.actual());
        if (change === null) return;
        if (attempt === TRIES) {
          throw new HsctlError(
            'failed',
            `${this.name}: does not lead to ${active} after ${TRIES} tries`,
            'see who else changes this name',
          );
        }
        const records = updateRecords(server.target, change);
        await server.update(updateMessage(this.#nextId(), server.target.zone, records));
      }
    });
  }

  async #talk<T>(body: (server: SignedTalk) => Promise<T>): Promise<T> {
    const target = await this.#prepare();
    // Read each time: a key may be replaced while we run.
    const key = await readKey(this.#config.key);
    const { server, timeoutMs } = this.#config;
    return withServer(server, timeoutMs, this.#deps.scheduler, (ask) =>
      body(
        new SignedTalk(ask, target, key, formatEndpoint(server), {
          nextId: () => this.#nextId(),
          nowS: () => Math.floor(this.#deps.scheduler.wallMs() / SECOND_MS),
        }),
      ),
    );
  }

  /** Only tells answers apart; what keeps others out is the signature. */
  #nextId(): number {
    this.#lastId = (this.#lastId + 1) % 0x1_0000;
    return this.#lastId;
  }

  async #prepare(): Promise<DnsTarget> {
    this.#target ??= await this.#prepareOnce();
    return this.#target;
  }

  async #prepareOnce(): Promise<DnsTarget> {
    const { name, zone, ttlS, addresses } = this.#config;
    const entries = this.#backends.map(async ({ node, address }): Promise<[NodeId, readonly string[]]> => {
      const given = addresses[node] ?? [address];
      const literal = given.map(async (host) =>
        familyOf(host) === null ? resolveAddress(host, 4) : canonicalHost(host),
      );
      return [node, await Promise.all(literal)];
    });
    return { name: dotted(name), zone: dotted(zone), ttlS, addresses: new Map(await Promise.all(entries)) };
  }
}

function dotted(name: string): string {
  return name.toLowerCase().replace(/\.?$/, '.');
}

async function readKey(file: string): Promise<DnsKey> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new HsctlError(
      'failed',
      `the key ${file} cannot be read: ${messageOf(error)}`,
      'write it by "tsig-keygen NAME", readable to the user of the controller only',
      { cause: error },
    );
  });
  try {
    return parseKey(text);
  } catch (error) {
    if (!(error instanceof HsctlError)) throw error;
    throw new HsctlError(error.code, `${file}: ${error.message}`, error.hint);
  }
}
