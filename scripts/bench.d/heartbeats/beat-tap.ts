import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { FRAME_HEADER_BYTES, frameTypeOf } from '../../../src/protocol/link/frames.ts';

const BEAT = frameTypeOf('beat').code;
const LENGTH_BYTES = 4;

/** From one heartbeat to the next. */
export interface Gap {
  readonly ms: number;
  /** Without the time for which the agent waited for a processor: what it brought about itself. */
  readonly ownMs: number;
}

/** Between the controller and one agent, on plain text: passes everything on, and notes when the agent's heartbeats come. */
export class BeatTap {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #gaps: Gap[] = [];
  #lastMs: number | null = null;
  #lastWaitedMs = 0;
  #pid: number | null = null;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param agentPort where the agent takes the controller's link */
  static async open(agentPort: number): Promise<BeatTap> {
    const server = createServer();
    const tap = new BeatTap(server);
    server.on('connection', (socket) => tap.#join(socket, connect(agentPort, '127.0.0.1')));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return tap;
  }

  /** Where the controller is to connect. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The agent whose heartbeats these are, from now on. */
  watch(pid: number): void {
    this.#pid = pid;
    this.#lastMs = null;
  }

  /** Gaps between heartbeats since the last call; the one that is under way counts as far as it has come. */
  take(): readonly Gap[] {
    this.#end(performance.now());
    const gaps = this.#gaps;
    this.#gaps = [];
    this.#lastMs = null;
    return gaps;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(controller: Socket, agent: Socket): void {
    const beats = new FrameScan(() => this.#onBeat());
    agent.on('data', (bytes) => beats.push(bytes));
    for (const [from, to] of [
      [controller, agent],
      [agent, controller],
    ] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
    // Between two links there are no heartbeats, and none are due.
    agent.on('close', () => (this.#lastMs = null));
  }

  #onBeat(): void {
    const nowMs = performance.now();
    this.#end(nowMs);
    this.#lastMs = nowMs;
  }

  #end(nowMs: number): void {
    if (this.#pid === null) return;
    const waitedMs = waitedForProcessorMs(this.#pid);
    if (this.#lastMs !== null) {
      const ms = nowMs - this.#lastMs;
      this.#gaps.push({ ms, ownMs: Math.max(0, ms - (waitedMs - this.#lastWaitedMs)) });
    }
    this.#lastWaitedMs = waitedMs;
  }
}

/** For how long the main thread of a process could have run, but others had the processors. */
function waitedForProcessorMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0; // it has ended
  }
}

/** Finds the heartbeats in what an agent sends, without keeping more than the header of a frame. */
class FrameScan {
  readonly #onBeat: () => void;
  readonly #header = Buffer.alloc(FRAME_HEADER_BYTES);
  #have = 0;
  /** Bytes of the present frame that are still to come. */
  #left = 0;

  constructor(onBeat: () => void) {
    this.#onBeat = onBeat;
  }

  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, bytes.length - at);
        this.#left -= step;
        at += step;
        continue;
      }
      this.#header[this.#have] = bytes[at]!;
      this.#have += 1;
      at += 1;
      if (this.#have < FRAME_HEADER_BYTES) continue;
      this.#have = 0;
      this.#left = this.#header.readUInt32LE(0) - (FRAME_HEADER_BYTES - LENGTH_BYTES);
      if (this.#header[LENGTH_BYTES] === BEAT) this.#onBeat();
    }
  }
}
