import type { Attempt, Outcome } from './history.ts';
import { LineSocket } from './line-socket.ts';
import { machineMs } from './machine-clock.ts';

export interface Place {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface WriterOptions {
  /** Places at which clients find the service; each attempt goes to the next one. */
  readonly to: readonly Place[];
  /** Attempts are begun this far apart, however long each takes. */
  readonly everyMs: number;
  /** Makes up for what it could not begin in time, so that the rate is kept whatever else the machine does. */
  readonly keepsPace: boolean;
  /** No attempt is begun while this many are under way. */
  readonly inFlight: number;
  readonly connectTimeoutMs: number;
  readonly answerTimeoutMs: number;
  /** Keep connections for further requests, instead of one each; for a client with one place. */
  readonly persistent: boolean;
  /** Written lists; one is written to after the other. */
  readonly users: number;
  /** Begins the names of users and friends, so that several clients do not write the same. */
  readonly prefix: string;
}

type Write = Pick<Attempt, 'op' | 'user' | 'friend'>;

/** One write in this many takes back an earlier, acknowledged one. */
const DELETE_EVERY = 8;

/** Writes as clients do, at a steady rate, and tells of each attempt. */
export class HistoryWriter {
  readonly #options: WriterOptions;
  readonly #record: (attempt: Attempt) => void;
  readonly #again: Write[] = [];
  readonly #idle: LineSocket[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #written = 0;
  #turn = 0;
  #deletable: Write | null = null;

  constructor(options: WriterOptions, record: (attempt: Attempt) => void) {
    this.#options = options;
    this.#record = record;
  }

  /** Begins attempts until `signal` aborts, then resolves when each has its outcome. */
  async run(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const { everyMs, keepsPace } = this.#options;
      const startMs = machineMs();
      let begun = 0;
      const timer = setInterval(() => {
        const due = keepsPace ? Math.floor((machineMs() - startMs) / everyMs) : begun + 1;
        for (; begun < due; begun++) this.#begin();
      }, everyMs);
      signal.addEventListener('abort', () => {
        clearInterval(timer);
        resolve();
      });
    });
    await Promise.all(this.#underWay);
    for (const socket of this.#idle) socket.close();
  }

  #begin(): void {
    if (this.#underWay.size >= this.#options.inFlight) return;
    const attempt = this.#attempt(this.#again.shift() ?? this.#next()).finally(() => this.#underWay.delete(attempt));
    this.#underWay.add(attempt);
  }

  #next(): Write {
    const number = this.#written++;
    const back = this.#deletable;
    if (number % DELETE_EVERY === 0 && back) {
      this.#deletable = null;
      return { ...back, op: 'DEL' };
    }
    const { prefix, users } = this.#options;
    return { op: 'ADD', user: `${prefix}u${number % users}`, friend: `${prefix}f${number}` };
  }

  async #attempt(write: Write): Promise<void> {
    const { to } = this.#options;
    const place = to[this.#turn++ % to.length];
    if (place === undefined) throw new Error('nowhere to write to');
    const startMs = machineMs();
    let sentMs: number | null = null;
    const end = (outcome: Outcome, detail: string): void =>
      this.#record({ ...write, place: place.name, startMs, sentMs, doneMs: machineMs(), outcome, detail });
    try {
      const socket = await this.#connection(place);
      sentMs = machineMs();
      const answer = await socket.request(`${write.op} ${write.user} ${write.friend}`, this.#options.answerTimeoutMs);
      if (this.#options.persistent) this.#idle.push(socket);
      else socket.close();
      if (answer === 'OK') {
        end('ok', '');
        if (write.op === 'ADD') this.#deletable = write;
      } else end('refused', answer);
    } catch (error) {
      if (sentMs === null) this.#again.push(write);
      end(sentMs === null ? 'unconnected' : 'unknown', error instanceof Error ? error.message : String(error));
    }
  }

  async #connection(place: Place): Promise<LineSocket> {
    for (let socket = this.#idle.pop(); socket; socket = this.#idle.pop()) if (socket.open) return socket;
    return LineSocket.connect(place, this.#options.connectTimeoutMs);
  }
}
