import type { Finding, NodeTrafficDeps } from '../deps.ts';
import { OpenNft } from './nft.ts';
import { tableName } from './plan.ts';
import { SynGate } from './syn-gate.ts';

/** The gate of a node, run by its agent: while closed, new connections to the app's port wait. To be started before use. */
export class NodeGate {
  readonly #nft: OpenNft;
  readonly #gate: SynGate;

  /** `port`: the app's. */
  constructor(group: string, node: string, port: number, deps: NodeTrafficDeps) {
    this.#nft = new OpenNft(deps);
    this.#gate = new SynGate(
      { table: tableName(group, node), place: 'node', address: null, port },
      deps,
      this.#nft.apply,
    );
  }

  /** As that of `SynGate`, and gets ready to be quick. */
  async start(): Promise<void> {
    if (await this.#gate.isAvailable()) await this.#nft.start();
    await this.#gate.start();
  }

  /** As that of `SynGate`. */
  close(): Promise<void> {
    return this.#gate.close();
  }

  /** As that of `SynGate`. */
  open(): Promise<void> {
    return this.#gate.open();
  }

  check(): Promise<readonly Finding[]> {
    return this.#gate.check();
  }

  /** Ends what was started; the gate stays as it is. */
  end(): Promise<void> {
    return this.#nft.close();
  }
}
