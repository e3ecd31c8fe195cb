import { fileURLToPath } from 'node:url';
import type { Host } from '../rig/host.ts';
import type { RigProcess } from '../rig/rig-process.ts';
import type { Service } from './ipvs-drivers.ts';
import { virtualAddress } from './ipvs-net.ts';

const PROGRAM = fileURLToPath(new URL('load-client.ts', import.meta.url));
/** Many clients on a host, each with one request; see load-client.ts. */
export class Load {
  readonly #process: RigProcess;
  readonly #places: readonly string[];

  private constructor(process: RigProcess, places: readonly string[]) {
    this.#process = process;
    this.#places = places;
  }

  /** A request each `everyMs`, to the services in turn. */
  static async start(host: Host, services: readonly Service[], everyMs: number): Promise<Load> {
    const places = services.map(
      ({ forwarding, family, protocol }) => `${protocol}/${virtualAddress(forwarding, family)}/9000`,
    );
    const argv = [process.execPath, PROGRAM, '--every', String(everyMs), ...places];
    return new Load(await host.spawn(argv, { name: 'load' }), places);
  }

  /** Resolves when some request of each service was answered by `node`. */
  async answeredBy(node: string): Promise<void> {
    const answered = this.#places.map((place) => this.#process.waitFor(new RegExp(`^first ${place} ${node}$`, 'm')));
    await Promise.all(answered);
  }

  /** Kinds of outcome so far. */
  outcomes(): ReadonlySet<string> {
    return new Set([...this.#process.output.matchAll(/^first \S+ (\S+)$/gm)].map(([, outcome = '']) => outcome));
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  /** Ends it when all requests have their outcome; gives the number of each outcome, all services together. */
  async stop(): Promise<ReadonlyMap<string, number>> {
    this.#process.write('stop');
    await this.#process.waitFor(/^end$/m);
    const sums = new Map<string, number>();
    for (const [, outcome = '', count] of this.#process.output.matchAll(/^(?!first )\S+\/\S+ (\S+) (\d+)$/gm)) {
      sums.set(outcome, (sums.get(outcome) ?? 0) + Number(count));
    }
    return sums;
  }
}
