import { fileURLToPath } from 'node:url';
import type { Host } from '../rig/host.ts';
import type { RigProcess } from '../rig/rig-process.ts';

const PROGRAM = fileURLToPath(new URL('./net-peer.ts', import.meta.url));

/** A client or server program on a host of the rig; see net-peer.ts for the orders. */
export class Peer {
  readonly #process: RigProcess;
  #lastId = 0;

  private constructor(process: RigProcess) {
    this.#process = process;
  }

  static async start(host: Host): Promise<Peer> {
    return new Peer(await host.spawn([process.execPath, PROGRAM], { name: `peer-${host.name}` }));
  }

  /** A server on that host, which says `name`. */
  static async serve(host: Host, address: string, port: number, name = host.name): Promise<Peer> {
    const peer = await Peer.start(host);
    await peer.serve(address, port, name);
    return peer;
  }

  /** The same in this program. */
  async serve(address: string, port: number, name: string): Promise<void> {
    this.#process.write(`serve ${address} ${port} ${name}`);
    await this.#process.waitFor(new RegExp(`^serving ${address} ${port}$`, 'm'));
  }

  /** Ends the program, as a crash does. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  /** Connects, or sends datagrams until it hears; resolves when that is under way. */
  async open(host: string, port: number, protocol: 'tcp' | 'udp' = 'tcp'): Promise<PeerConnection> {
    this.#lastId += 1;
    const id = `c${this.#lastId}`;
    this.#process.write(`${protocol === 'tcp' ? 'open' : 'sound'} ${id} ${host} ${port}`);
    await this.#process.waitFor(new RegExp(`^${id} waiting$`, 'm'));
    return new PeerConnection(this.#process, id);
  }

  /** Connects or sends, and resolves to the name that the server said, or to `over CODE`. */
  async reach(host: string, port: number, protocol: 'tcp' | 'udp' = 'tcp'): Promise<string> {
    const connection = await this.open(host, port, protocol);
    const outcome = await connection.outcome();
    connection.shut();
    return outcome;
  }

  /** Sends a datagram from socket `id`, until somebody answers; resolves to the name of who did first. */
  async ask(id: string, host: string, port: number, limitMs?: number): Promise<string> {
    const from = this.#process.output.length;
    const sending = setInterval(() => this.#process.write(`ask ${id} ${host} ${port}`), 50);
    this.#process.write(`ask ${id} ${host} ${port}`);
    try {
      const match = await this.#process.waitFor(new RegExp(`(?<=^[^]{${from},})^${id} name (\\S+)$`, 'm'), limitMs);
      return match[1] ?? '';
    } finally {
      clearInterval(sending);
    }
  }
}

export class PeerConnection {
  readonly #process: RigProcess;
  readonly #id: string;

  constructor(process: RigProcess, id: string) {
    this.#process = process;
    this.#id = id;
  }

  /** Whether a server answered, or the connection is over. */
  get settled(): boolean {
    return new RegExp(`^${this.#id} (name|over) `, 'm').test(this.#process.output);
  }

  /** `NAME`, or `over CODE`. */
  async outcome(): Promise<string> {
    const match = await this.#process.waitFor(new RegExp(`^${this.#id} (?:name (\\S+)|(over \\S+))$`, 'm'));
    return match[1] ?? match[2] ?? '';
  }

  /** Resolves to the code with which it ended. Rejects if it has not within `limitMs`. */
  async over(limitMs?: number): Promise<string> {
    const match = await this.#process.waitFor(new RegExp(`^${this.#id} over (\\S+)$`, 'm'), limitMs);
    return match[1] ?? '';
  }

  say(word: string): void {
    this.#process.write(`say ${this.#id} ${word}`);
  }

  heard(word: string): Promise<void> {
    return this.got(`heard ${word}`);
  }

  /** Resolves when the server has sent this line. */
  async got(line: string): Promise<void> {
    await this.#process.waitFor(new RegExp(`^${this.#id} ${line}$`, 'm'));
  }

  shut(): void {
    this.#process.write(`shut ${this.#id}`);
  }
}
