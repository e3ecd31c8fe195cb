import { EventEmitter } from 'node:events';
import type { Network } from './network.ts';
import type { SimProcess } from './sim-process.ts';

/** What a kernel takes from a sender before the receiver has read it. */
const KERNEL_BYTES = 64 * 1024;
const HIGH_WATER_BYTES = 32 * 1024;

type Parcel =
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' }
  | { readonly kind: 'reset' };

/**
 * One end of a simulated TCP connection, as much of `net.Socket` as the code under test uses: bytes arrive in order or
 * not at all; a cut of the network holds them silently, for as long as it lasts.
 */
export class SimSocket extends EventEmitter {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly writableHighWaterMark = HIGH_WATER_BYTES;
  readonly owner: SimProcess;
  readonly #network: Network;
  #peer: SimSocket | null = null;
  /** On their way to this socket and held up by a cut, in order. */
  readonly held: Parcel[] = [];
  #unread: Parcel[] = [];
  #paused = false;
  #lastArrivalMs = 0;
  #unacknowledgedBytes = 0;
  #needsDrain = false;
  #corked: Uint8Array[] | null = null;
  #endSent = false;
  #endReceived = false;
  #destroyed = false;

  constructor(owner: SimProcess, network: Network, remoteName: string, remotePort: number) {
    super();
    this.owner = owner;
    this.#network = network;
    this.remoteAddress = remoteName;
    this.remotePort = remotePort;
    owner.onDeath.push((death) => this.#ownerDied(death === 'power'));
  }

  static connect(one: SimSocket, other: SimSocket): void {
    one.#peer = other;
    other.#peer = one;
  }

  // --- as net.Socket

  get writableLength(): number {
    return Math.max(0, this.#unacknowledgedBytes - KERNEL_BYTES);
  }

  get writableNeedDrain(): boolean {
    return this.#needsDrain;
  }

  get destroyed(): boolean {
    return this.#destroyed;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  cork(): void {
    this.#corked ??= [];
  }

  uncork(): void {
    const chunks = this.#corked;
    this.#corked = null;
    if (chunks !== null && chunks.length > 0) this.write(Buffer.concat(chunks));
  }

  write(bytes: Uint8Array): boolean {
    if (this.#corked !== null) {
      this.#corked.push(bytes);
      return true;
    }
    if (this.#destroyed || this.#endSent || !this.owner.effect()) return false;
    this.#unacknowledgedBytes += bytes.length;
    this.#send({ kind: 'data', bytes: Uint8Array.from(bytes) });
    this.#needsDrain ||= this.writableLength >= HIGH_WATER_BYTES;
    return !this.#needsDrain;
  }

  end(): void {
    if (this.#endSent || this.#destroyed || !this.owner.effect()) return;
    this.#endSent = true;
    this.#send({ kind: 'end' });
    if (this.#endReceived) this.#close();
  }

  destroy(): void {
    if (this.#destroyed) return;
    if (!this.#endSent && this.owner.effect()) this.#send({ kind: 'end' });
    this.#close();
  }

  pause(): this {
    this.#paused = true;
    return this;
  }

  resume(): this {
    this.#paused = false;
    if (this.#unread.length > 0) this.#network.world.after(0, () => this.owner.run(() => this.#deliver()));
    return this;
  }

  // --- as the network sees it

  get peer(): SimSocket | null {
    return this.#peer;
  }

  /** The connection is gone on this side, as the kernel says (`ECONNRESET`). */
  reset(): void {
    this.owner.run(() => this.#wasReset());
  }

  /** Sends again what a cut has held up. */
  release(): void {
    const parcels = this.held.splice(0);
    for (const parcel of parcels) this.#arrive(parcel);
  }

  // --- steps

  #send(parcel: Parcel): void {
    const peer = this.#peer;
    if (peer === null) return;
    const { world } = this.#network;
    if (parcel.kind === 'data') world.foldBytes(parcel.bytes);
    const delayMs = this.#network.delayMs(this.owner.machine, peer.owner.machine);
    peer.#lastArrivalMs = Math.max(peer.#lastArrivalMs, world.nowMs + delayMs);
    world.at(peer.#lastArrivalMs, () => peer.#arrive(parcel));
  }

  /** At the machine of this socket, unless the way there is cut. */
  #arrive(parcel: Parcel): void {
    const peer = this.#peer!;
    const { machine } = this.owner;
    if (!machine.up && this.held.length === 0) machine.onBoot.push(() => this.#network.retransmit(this));
    if (!machine.up || !this.#network.passes(peer.owner.machine, machine) || this.held.length > 0) {
      this.held.push(parcel);
      return;
    }
    if (this.#destroyed || !this.owner.alive) return this.#answerReset(parcel);
    this.owner.run(() => {
      this.#unread.push(parcel);
      this.#deliver();
    });
  }

  /** Nobody is there any more: the machine says so. */
  #answerReset(parcel: Parcel): void {
    const peer = this.#peer!;
    if (parcel.kind === 'data' && !peer.#destroyed) this.#send({ kind: 'reset' });
  }

  #deliver(): void {
    while (!this.#destroyed) {
      const parcel = this.#unread[0];
      if (parcel === undefined) return;
      if (parcel.kind === 'reset') return this.#wasReset();
      if (this.#paused) return;
      this.#unread.shift();
      if (parcel.kind === 'end') return this.#ended();
      this.#peer!.#taken(parcel.bytes.length);
      this.emit('data', Buffer.from(parcel.bytes));
    }
  }

  #ended(): void {
    if (this.#endReceived) return;
    this.#endReceived = true;
    this.emit('end');
    if (this.#endSent) this.#close();
    else this.end();
  }

  /** The other end has read so much. */
  #taken(bytes: number): void {
    this.#unacknowledgedBytes -= bytes;
    if (!this.#needsDrain || this.writableLength > 0) return;
    this.#needsDrain = false;
    this.#network.world.after(0, () =>
      this.owner.run(() => {
        if (!this.#destroyed) this.emit('drain');
      }),
    );
  }

  #wasReset(): void {
    if (this.#destroyed) return;
    // Nobody listens before the connection was handed to its owner.
    if (this.listenerCount('error') > 0) this.emit('error', new Error('read ECONNRESET'));
    this.#close();
  }

  #close(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#unread = [];
    this.#network.forget(this);
    this.#network.world.after(0, () => this.owner.run(() => this.emit('close')));
  }

  #ownerDied(silently: boolean): void {
    if (this.#destroyed) return;
    if (!silently && !this.#endSent) this.#send({ kind: 'end' });
    this.#destroyed = true;
    this.#network.forget(this);
  }
}
