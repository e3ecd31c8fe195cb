import { fileURLToPath } from 'node:url';
import type { Scheduler } from '../kit/clock.ts';
import { messageOf } from '../kit/errors.ts';
import { startProgram, type RunningProgram } from '../kit/exec.ts';
import { ProbeFailure } from './reason.ts';

/**
 * One program, kept open, that sends and hears ICMP for all ping probes of this process. It is started when the first
 * of them looks and ended when the last of them is gone.
 */

/** It lies at the same distance from the sources and from their build. */
const PROGRAM = fileURLToPath(new URL('../../scripts/probes/ping.pl', import.meta.url));
/** A program that ended is not started again sooner than this. */
const RESTART_MS = 1000;
/** A program that is told to end has this long. */
const STOP_MS = 1000;
const UNREAD_LIMIT_BYTES = 64 * 1024;
const IDS = 2 ** 32;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (reason: Error) => void;
}

class Pinger {
  readonly #scheduler: Scheduler;
  readonly #waiting = new Map<number, Waiting>();
  #program: Promise<RunningProgram> | null = null;
  #endedAtMs = -Infinity;
  /** What it complained of last. */
  #complaint = '';
  #lastId = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Resolves at the reply of an address. @throws ProbeFailure where the request cannot be sent; rejects when `signal` aborts */
  async ping(address: string, source: string | null, signal: AbortSignal): Promise<void> {
    const program = await this.#running();
    if (program.unreadBytes() > UNREAD_LIMIT_BYTES) throw new ProbeFailure('the program that pings is stuck');
    this.#lastId = (this.#lastId + 1) % IDS;
    const id = this.#lastId;
    const reply = Promise.withResolvers<undefined>();
    const onAbort = (): void => reply.reject(new Error('called off'));
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    this.#waiting.set(id, { resolve: () => reply.resolve(undefined), reject: reply.reject });
    program.write(`${id} ${address} ${source ?? '-'}\n`);
    try {
      await reply.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#waiting.delete(id);
    }
  }

  /** Ends the program. */
  async close(): Promise<void> {
    const program = await this.#program?.catch(() => null);
    program?.endInput();
    await program?.stop(STOP_MS);
  }

  #running(): Promise<RunningProgram> {
    if (this.#program !== null) return this.#program;
    if (this.#scheduler.monotonicMs() - this.#endedAtMs < RESTART_MS) {
      return Promise.reject(new ProbeFailure(`the program that pings ended: ${this.#complaint}`));
    }
    this.#program = startProgram(['perl', PROGRAM], { onLine: (line, from) => this.#onLine(line, from) });
    this.#program.then(
      (program) => program.exited.then(() => this.#onEnd('')),
      (error: unknown) => this.#onEnd(messageOf(error)),
    );
    return this.#program;
  }

  #onLine(line: string, from: 'stdout' | 'stderr'): void {
    const [, verdict = '', id = '', reason = ''] = /^(ok|bad) (\d+) ?(.*)$/.exec(line) ?? [];
    if (from === 'stderr' || verdict === '') this.#complaint = line;
    else if (verdict === 'ok') this.#waiting.get(Number(id))?.resolve();
    else this.#waiting.get(Number(id))?.reject(new ProbeFailure(reason));
  }

  #onEnd(why: string): void {
    if (why !== '') this.#complaint = why;
    this.#program = null;
    this.#endedAtMs = this.#scheduler.monotonicMs();
    for (const { reject } of this.#waiting.values()) {
      reject(new ProbeFailure(`the program that pings ended: ${this.#complaint}`));
    }
  }
}

let shared: Pinger | null = null;
let borrowers = 0;

export interface BorrowedPinger {
  ping(address: string, source: string | null, signal: AbortSignal): Promise<void>;
  /** To be called once; the last one ends the program. */
  giveBack(): Promise<void>;
}

/** The pinger of this process. */
export function borrowPinger(scheduler: Scheduler): BorrowedPinger {
  shared ??= new Pinger(scheduler);
  const pinger = shared;
  borrowers += 1;
  return {
    ping: (address, source, signal) => pinger.ping(address, source, signal),
    async giveBack() {
      borrowers -= 1;
      if (borrowers > 0) return;
      shared = null;
      await pinger.close();
    },
  };
}
