import { messageOf } from '../../kit/errors.ts';
import { type Finding, TOOL_TIMEOUT_MS, type TrafficDeps } from '../deps.ts';
import { Latest } from '../latest.ts';
import { type ApplyNft, nftOnce } from './nft.ts';
import { closeGate, type Gate, openGate } from './plan.ts';

/** Lets new TCP connections wait while the master changes, with nftables; without nft on the machine it does nothing. */
export class SynGate {
  readonly #gate: Gate;
  readonly #deps: TrafficDeps;
  readonly #apply: ApplyNft;
  readonly #latest: Latest<'open' | 'closed'>;
  #state: 'unknown' | 'open' | 'closed' = 'unknown';
  #available: boolean | null = null;

  constructor(gate: Gate, deps: TrafficDeps, apply = nftOnce(deps)) {
    this.#gate = gate;
    this.#deps = deps;
    this.#apply = apply;
    this.#latest = new Latest((wish) => this.#set(wish));
  }

  /** Opens a gate that a crashed process left closed, and finds out whether there is nft. */
  async start(): Promise<void> {
    await this.open();
  }

  /** Whether this machine has nft. */
  async isAvailable(): Promise<boolean> {
    this.#available ??= await this.#hasNft();
    return this.#available;
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
    if (!(await this.isAvailable()) || this.#state === wish) return;
    this.#state = 'unknown';
    await this.#apply(wish === 'open' ? openGate(this.#gate) : closeGate(this.#gate));
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
