import type { Replica } from '../../src/replication/replica.ts';
import type { SimProcess } from './sim-process.ts';

/** A client's command as it reaches the agent. */
export type Command =
  | { readonly op: 'set'; readonly key: string; readonly value: string }
  | { readonly op: 'get'; readonly key: string };

/** `closed`: the connection was closed without an answer, nobody knows what became of it. */
export type Answer =
  | { readonly kind: 'ok'; readonly value: string | null }
  | { readonly kind: 'error'; readonly text: string }
  | { readonly kind: 'closed' };

interface Waiting {
  readonly seq: number;
  readonly value: string | null;
  readonly reply: (answer: Answer) => void;
}

/**
 * What stands between the app and the replica, with the rules of the RESP service: a write asks the gate, a read asks
 * whether it may be answered, and every reply waits until what it tells of is confirmed.
 */
export class SimService {
  readonly #replica: Replica;
  readonly #process: SimProcess;
  #held: { readonly command: Command; readonly reply: (answer: Answer) => void }[] = [];
  #waiting: Waiting[] = [];

  constructor(replica: Replica, process: SimProcess) {
    this.#replica = replica;
    this.#process = process;
    replica.onConfirmed(() => this.#release());
    replica.onGateChange(() => this.#retry());
    replica.onReignLost(() => this.#drop());
  }

  execute(command: Command, reply: (answer: Answer) => void): void {
    if (command.op === 'get') this.#read(command.key, reply);
    else this.#write(command, reply);
    this.#release();
  }

  #read(key: string, reply: (answer: Answer) => void): void {
    const refusal = this.#replica.readRefusal();
    if (refusal !== null) return reply({ kind: 'error', text: refusal });
    const bytes = this.#replica.get(Buffer.from(key));
    const value = bytes === null ? null : Buffer.from(bytes).toString();
    this.#waiting.push({ seq: this.#replica.writtenSeq(), value, reply });
  }

  #write(command: Command & { readonly op: 'set' }, reply: (answer: Answer) => void): void {
    const gate = this.#replica.gate();
    if (gate.state === 'refuse') return reply({ kind: 'error', text: gate.error });
    if (gate.state === 'hold') return void this.#held.push({ command, reply });
    const bytes = Buffer.from(command.key + command.value);
    const split = Buffer.byteLength(command.key);
    this.#waiting.push({ seq: this.#replica.set(bytes, 0, split, split, bytes.length), value: null, reply });
  }

  #release(): void {
    if (!this.#process.alive) return;
    const confirmedSeq = this.#replica.confirmedSeq();
    const done = this.#waiting.filter(({ seq }) => seq <= confirmedSeq);
    if (done.length === 0) return;
    this.#waiting = this.#waiting.filter(({ seq }) => seq > confirmedSeq);
    for (const { value, reply } of done) reply({ kind: 'ok', value });
  }

  #retry(): void {
    const held = this.#held;
    this.#held = [];
    for (const { command, reply } of held) this.execute(command, reply);
  }

  #drop(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reply } of waiting) reply({ kind: 'closed' });
  }
}
