import { messageOf } from '../../kit/errors.ts';
import type { NodeTrafficDeps } from '../deps.ts';
import { OpenTool } from '../open-tool.ts';
import { ipBatch } from './ip-batch.ts';
import { routeFaults, setRouteLines, unsetRouteLines, type VirtualAddress } from './plan.ts';

/**
 * The routes and rules of an address. They have an `ip` of their own, since it ends of a word that it does not understand,
 * which must not keep the address itself from being set or removed.
 */
export class AddressRoutes {
  readonly #vip: VirtualAddress;
  readonly #deps: NodeTrafficDeps;
  /** Null where there are none. */
  readonly #batch: OpenTool | null;
  #fault = '';

  constructor(vip: VirtualAddress, deps: NodeTrafficDeps) {
    this.#vip = vip;
    this.#deps = deps;
    const hasAny = vip.routes.length + vip.rules.length > 0;
    this.#batch = hasAny ? new OpenTool(ipBatch(vip.family), deps) : null;
  }

  /** What keeps them from being there, as last seen; empty if nothing does. */
  get fault(): string {
    return this.#fault;
  }

  /** @throws HsctlError('failed') when `ip` cannot be started. */
  async start(): Promise<void> {
    await this.#batch?.start();
  }

  /** Sets those that are not there. To be called when the address is there, which routes may name. Never rejects. */
  async set(): Promise<void> {
    const fault = await this.#submit(setRouteLines(this.#vip), (complaints) => routeFaults(complaints).join('; '));
    if (fault !== '' && fault !== this.#fault) {
      this.#deps.logger.error('routes of the address cannot be set', { address: this.#vip.address, error: fault });
    }
    this.#fault = fault;
  }

  /** Removes them: `ip` has the order before this call returns. Never rejects; what is not there is none the worse. */
  async unset(): Promise<void> {
    this.#fault = await this.#submit(unsetRouteLines(this.#vip), () => '');
  }

  async close(): Promise<void> {
    await this.#batch?.close();
  }

  /** What is wrong then. An `ip` that ended of what it was told has told why, and is started again. */
  async #submit(lines: readonly string[], faultOf: (complaints: readonly string[]) => string): Promise<string> {
    if (this.#batch === null) return '';
    if (!this.#batch.ready && this.#fault !== '') return this.#fault;
    return this.#batch.submit(lines).then(
      ({ complaints }) => faultOf(complaints),
      (error: unknown) => messageOf(error),
    );
  }
}
