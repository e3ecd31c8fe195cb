import type { Transaction } from './transaction.ts';

/** What a connection has been told about itself. */
export class Session {
  name = '';
  libraryName = '';
  libraryVersion = '';
  readonly channels = new Set<string>();
  /** Seq of its last write, for WAIT. */
  lastWrite = 0;
  /** The commands of a transaction are being done. */
  executing = false;
  /**
   * It reads the log from the beginning, and this was the oldest seq from which reading could be taken up when it
   * began: until that changes it misses no delete, however old the place where it is. Null: it does not.
   */
  readingSince: number | null = null;
  #authenticated: boolean;
  #transaction: Transaction | null = null;
  #plain = true;

  constructor(authenticated: boolean) {
    this.#authenticated = authenticated;
    this.#update();
  }

  get authenticated(): boolean {
    return this.#authenticated;
  }

  set authenticated(value: boolean) {
    this.#authenticated = value;
    this.#update();
  }

  get transaction(): Transaction | null {
    return this.#transaction;
  }

  set transaction(value: Transaction | null) {
    this.#transaction = value;
    this.#update();
  }

  /** Whether nothing limits which commands are taken: the usual case, told quickly. */
  get plain(): boolean {
    return this.#plain;
  }

  subscribe(channel: string): void {
    this.channels.add(channel);
    this.#update();
  }

  unsubscribe(channel: string): void {
    this.channels.delete(channel);
    this.#update();
  }

  reset(authenticated: boolean): void {
    this.name = '';
    this.channels.clear();
    this.#authenticated = authenticated;
    this.#transaction = null;
    this.#update();
  }

  #update(): void {
    this.#plain = this.#authenticated && this.#transaction === null && this.channels.size === 0;
  }
}
