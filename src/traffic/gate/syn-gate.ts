import { HsctlError, messageOf } from '../../kit/errors.ts';
import { type Finding, TOOL_TIMEOUT_MS, type TrafficDeps } from '../deps.ts';
import { Latest } from '../latest.ts';
import { closeGate, type Gate, openGate } from './plan.ts';

/** Lets new TCP connections wait while the master changes, with nftables; without nft on the machine it does nothing. */
export class SynGate {
  readonly #gate: Gate;
  readonly #deps: TrafficDeps;
  readonly #latest: Latest<'open' | 'closed'>;
  #state: 'unknown' | 'open' | 'closed' = 'unknown';
  #available: boolean | null = null;

  constructor(gate: Gate, deps: TrafficDeps) {
    this.#gate = gate;
    this.#deps = deps;
    this.#latest = new Latest((wish) => this.#set(wish));
  }

  /** Opens a gate that a crashed process left closed, and finds out whether there is nft. */
  async start(): Promise<void> {
    this.#available ??= await this.#hasNft();
    await this.open();
  }

  /**
   * New connections wait from now on; present ones go on. Does nothing without nft.
   * @throws HsctlError('failed') with what nft says.
   */
  close(): Promise<void> {
    return this.#latest.submit('closed');
  }

  /** New connections are let in. @throws as `close` */
  open(): Promise<void> {
    return this.#latest.submit('open');
  }

  async check(): Promise<readonly Finding[]> {
    if (await this.#hasNft()) return [];
    return [
      { what: 'nft is not there: new connections fail during a planned change', hint: 'apt-get install nftables' },
    ];
  }

  async #set(wish: 'open' | 'closed'): Promise<void> {
    this.#available ??= await this.#hasNft();
    if (!this.#available || this.#state === wish) return;
    const input = wish === 'open' ? openGate(this.#gate) : closeGate(this.#gate);
    this.#state = 'unknown';
    await this.#deps.run(['nft', '-f', '-'], { timeoutMs: TOOL_TIMEOUT_MS, input }).catch((error: unknown) => {
      throw new HsctlError('failed', messageOf(error), 'The process needs CAP_NET_ADMIN, the kernel nf_tables.', {
        cause: error,
      });
    });
    this.#state = wish;
  }

  async #hasNft(): Promise<boolean> {
    try {
      await this.#deps.run(['nft', '--version'], { timeoutMs: TOOL_TIMEOUT_MS });
      return true;
    } catch (error) {
      this.#deps.logger.warn('without nft new connections cannot wait', { error: messageOf(error) });
      return false;
    }
  }
}
