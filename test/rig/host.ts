import { type Machine, nameOf, ProcessTable } from './machine.ts';
import type { Place } from './network.ts';
import type { RigProcess, SpawnOptions } from './rig-process.ts';
import { tool } from './tool.ts';

interface AddressShown {
  readonly addr_info: readonly { readonly local?: string }[];
}

interface LinkShown {
  readonly address: string;
}

interface NeighbourShown {
  readonly dst: string;
  readonly lladdr?: string;
}

/** One machine of the rig: a network namespace with one interface, `eth0`. It shares the file system with the others. */
export class Host implements Machine {
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  readonly address6: string;
  /** Folder of this host's own, for its sockets, stores and logs. */
  readonly dir: string;
  readonly #processes: ProcessTable;

  constructor(place: Place, dir: string) {
    this.name = place.name;
    this.namespace = place.namespace;
    this.address = place.address;
    this.address6 = place.address6;
    this.dir = dir;
    this.#processes = new ProcessTable(this.name, dir);
  }

  /** Starts a long-lived program here. It is ended with the rig at the latest. */
  spawn(argv: readonly string[], options: SpawnOptions = {}): Promise<RigProcess> {
    return this.#processes.start(this.#inside(argv), options.name ?? nameOf(argv), options);
  }

  /** All that were started here, oldest first. */
  get processes(): readonly RigProcess[] {
    return this.#processes.all;
  }

  /** Kills them all. */
  close(): Promise<void> {
    return this.#processes.close();
  }

  /** Runs a short program here; resolves to its standard output, rejects with its standard error. */
  run(argv: readonly string[], input = ''): Promise<string> {
    return tool(this.#inside(argv), input);
  }

  /** All addresses of `eth0`, without prefix lengths. */
  async addresses(): Promise<string[]> {
    const shown: AddressShown[] = await this.#show(['addr', 'show', 'dev', 'eth0']);
    return shown.flatMap((device) => device.addr_info.flatMap(({ local }) => local ?? []));
  }

  async holds(address: string): Promise<boolean> {
    return (await this.addresses()).includes(address);
  }

  /** Hardware address of `eth0`. */
  async hardwareAddress(): Promise<string> {
    const [shown]: LinkShown[] = await this.#show(['link', 'show', 'dev', 'eth0']);
    return shown?.address ?? '';
  }

  /** Hardware address under which this host knows `address` at present; null if it does not. */
  async neighbour(address: string): Promise<string | null> {
    const shown: NeighbourShown[] = await this.#show(['neigh', 'show', address]);
    return shown.find((entry) => entry.dst === address)?.lladdr ?? null;
  }

  async #show<T>(what: readonly string[]): Promise<T[]> {
    const json = await tool(['ip', '-n', this.namespace, '-j', ...what]);
    return JSON.parse(json || '[]') as T[]; // nothing found is printed as nothing
  }

  #inside(argv: readonly string[]): string[] {
    return ['ip', 'netns', 'exec', this.namespace, ...argv];
  }
}
