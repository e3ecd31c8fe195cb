import type { Socket } from 'node:net';
import { HsctlError } from '../../src/kit/errors.ts';
import type { Hello, PeerHello } from '../../src/protocol/link/messages.ts';
import type { LinkConnection } from '../../src/transport/link-connection.ts';
import { SocketLink } from '../../src/transport/socket-link.ts';
import type { Machine } from './machine.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimProcess } from './sim-process.ts';
import { SimSocket } from './sim-socket.ts';
import type { World } from './world.ts';

interface Listener {
  readonly process: SimProcess;
  readonly onLink: (link: LinkConnection, hello: Hello | PeerHello) => void;
}

export interface DialWish {
  readonly from: SimProcess;
  readonly to: Machine;
  readonly port: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** The network between the machines: delays, cuts in one direction or both, connections that break. */
export class Network {
  readonly world: World;
  readonly #random: SeededRandom;
  readonly #baseMs: number;
  /** `from>to` of the ways that are cut, each with the number of faults that cut it. */
  readonly #cuts = new Map<string, number>();
  /** Factor on delays while a way is clogged. */
  readonly #clogs = new Map<string, number>();
  readonly #listeners = new Map<string, Listener>();
  readonly #sockets = new Set<SimSocket>();

  /** `baseMs`: the usual one-way delay. */
  constructor(world: World, random: SeededRandom, baseMs: number) {
    this.world = world;
    this.#random = random;
    this.#baseMs = baseMs;
  }

  // --- faults

  cut(from: Machine, to: Machine): void {
    const way = wayOf(from, to);
    this.#cuts.set(way, (this.#cuts.get(way) ?? 0) + 1);
  }

  heal(from: Machine, to: Machine): void {
    const way = wayOf(from, to);
    const left = (this.#cuts.get(way) ?? 0) - 1;
    if (left > 0) return void this.#cuts.set(way, left);
    this.#cuts.delete(way);
    for (const socket of this.#sockets) {
      if (socket.held.length > 0 && socket.owner.machine === to && socket.peer?.owner.machine === from) {
        this.retransmit(socket);
      }
    }
  }

  healAll(): void {
    this.#cuts.clear();
    this.#clogs.clear();
    for (const socket of this.#sockets) if (socket.held.length > 0) this.retransmit(socket);
  }

  clog(from: Machine, to: Machine, factor: number): void {
    this.#clogs.set(wayOf(from, to), factor);
  }

  /** Breaks connections between two machines: both ends learn of it, or only the first. */
  breakConnections(one: Machine, other: Machine, halfOpen: boolean): void {
    for (const socket of this.#sockets) {
      if (socket.owner.machine !== one || socket.peer?.owner.machine !== other) continue;
      socket.reset();
      if (!halfOpen) socket.peer.reset();
    }
  }

  // --- use

  passes(from: Machine, to: Machine): boolean {
    return from === to || !this.#cuts.has(wayOf(from, to));
  }

  /** One way, in milliseconds; now and then much longer. */
  delayMs(from: Machine, to: Machine): number {
    const random = this.#random;
    if (from === to) return random.between(0.01, 0.05);
    const delayMs = this.#baseMs * (1 + random.next() * random.next());
    const spikeMs = random.chance(0.005) ? this.#baseMs * random.between(2, 40) : 0;
    return (delayMs + spikeMs) * (this.#clogs.get(wayOf(from, to)) ?? 1);
  }

  listen(process: SimProcess, port: number, onLink: Listener['onLink']): void {
    const name = `${process.machine.name}:${port}`;
    this.#listeners.set(name, { process, onLink });
  }

  /** As `dialLink`. */
  dial({ from, to, port, timeoutMs, signal }: DialWish): Promise<LinkConnection> {
    const where = `${to.name}:${port}`;
    return new Promise((resolve, reject) => {
      let settled = false;
      const settle = (end: () => void): void => {
        if (settled) return;
        settled = true;
        timer.cancel();
        signal.removeEventListener('abort', onAbort);
        end();
      };
      const fail = (code: 'unreachable' | 'timeout' | 'failed', text: string): void =>
        settle(() => reject(new HsctlError(code, `${where}: ${text}`)));
      const onAbort = (): void => fail('failed', 'the attempt was called off');
      const timer = from.after(timeoutMs, () => fail('timeout', `no answer within ${timeoutMs} ms`));
      signal.addEventListener('abort', onAbort, { once: true });
      this.#knock(from, to, () => {
        const listener = this.#listeners.get(where);
        const accepted = listener?.process.alive === true ? this.#accept(listener, from) : null;
        this.#knock(
          listener?.process ?? null,
          from.machine,
          () =>
            from.run(() => {
              if (accepted === null) return fail('unreachable', 'connect ECONNREFUSED');
              if (settled || !from.alive) return accepted.destroy();
              if (accepted.destroyed) return fail('unreachable', 'connect ECONNRESET');
              settle(() => resolve(new SocketLink(accepted as unknown as Socket, from, null)));
            }),
          to,
        );
      });
    });
  }

  forget(socket: SimSocket): void {
    this.#sockets.delete(socket);
  }

  /** A packet of its own; lost on a way that is cut or to a machine that is off. */
  #knock(from: SimProcess | null, to: Machine, then: () => void, fromMachine = from!.machine): void {
    if (from !== null && !from.effect()) return;
    this.world.after(this.delayMs(fromMachine, to), () => {
      if (to.up && this.passes(fromMachine, to)) then();
    });
  }

  /** Makes both ends; returns that of the dialling process. */
  #accept(listener: Listener, from: SimProcess): SimSocket {
    const { process, onLink } = listener;
    const port = 1024 + this.#random.int(60_000);
    const near = new SimSocket(from, this, process.machine.name, port);
    const far = new SimSocket(process, this, from.machine.name, port);
    SimSocket.connect(near, far);
    this.#sockets.add(near);
    this.#sockets.add(far);
    process.run(() => {
      const link = new SocketLink(far as unknown as Socket, process, null);
      link.onMessage((message) => {
        if (message.type !== 'hello' && message.type !== 'peerHello')
          return link.close(`${message.type}, but no hello`);
        link.releaseListener();
        onLink(link, message);
      });
    });
    return near;
  }

  retransmit(socket: SimSocket): void {
    this.world.after(this.#random.spread(1, 250), () => {
      const from = socket.peer?.owner.machine;
      if (from !== undefined && this.passes(from, socket.owner.machine)) socket.release();
    });
  }
}

function wayOf(from: Machine, to: Machine): string {
  return `${from.name}>${to.name}`;
}
