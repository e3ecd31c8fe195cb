import type { Machine } from './machine.ts';
import type { Network } from './network.ts';
import type { Operation } from './register-history.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Director } from './sim-director.ts';
import type { SimNode } from './sim-node.ts';
import type { Answer, Command } from './sim-service.ts';
import type { World } from './world.ts';

export interface ClientParts {
  readonly world: World;
  readonly network: Network;
  readonly machine: Machine;
  readonly director: Director;
  readonly nodes: readonly SimNode[];
  readonly random: SeededRandom;
  /** Time between two operations of one client, in the mean. */
  readonly thinkMs: number;
  readonly timeoutMs: number;
  readonly clients: number;
  readonly keys: number;
}

/** Clients that write and read a few keys through whatever serves, and remember what they were told. */
export class Clients {
  readonly history = new Map<string, Operation[]>();
  /** Operations that were acknowledged. */
  acknowledged = 0;
  writing = true;
  readonly #parts: ClientParts;
  #values = 0;

  constructor(parts: ClientParts) {
    this.#parts = parts;
    for (let client = 0; client < parts.clients; client += 1) this.#think();
  }

  /** Operations without an answer so far count as unknown. */
  operations(key: string): readonly Operation[] {
    return this.history.get(key) ?? [];
  }

  #think(): void {
    const { world, random, thinkMs } = this.#parts;
    world.after(random.between(0.2, 1.8) * thinkMs, () => this.#act());
  }

  #act(): void {
    const { world, random, keys, timeoutMs } = this.#parts;
    if (!this.writing) return;
    const key = `k${random.int(keys)}`;
    this.#values += 1;
    const command: Command = random.chance(0.6) ? { op: 'set', key, value: `v${this.#values}` } : { op: 'get', key };
    const node = this.#target();
    if (node === null) return this.#think();
    const startMs = world.nowMs;
    let open = true;
    const end = (answer: Answer): void => {
      if (!open) return;
      open = false;
      deadline.task = null;
      this.#note(command, startMs, answer);
      this.#think();
    };
    const deadline = world.after(timeoutMs, () => end({ kind: 'closed' }));
    this.#send(node, command, end);
  }

  /** Where a new connection goes. */
  #target(): SimNode | null {
    const { director, nodes } = this.#parts;
    if (director.kind !== 'vip') return nodes.find(({ id }) => id === director.active) ?? null;
    return nodes.find(({ address }) => address.held) ?? null;
  }

  #send(node: SimNode, command: Command, end: (answer: Answer) => void): void {
    const { machine } = this.#parts;
    this.#travel(machine, node.machine, () => {
      if (!node.machine.up) return;
      node.app.serve(command, (answer) => this.#travel(node.machine, machine, () => end(answer)));
    });
  }

  /** What a cut holds up may arrive when it is healed, long after the client has given up. */
  #travel(from: Machine, to: Machine, then: () => void): void {
    const { world, network, random } = this.#parts;
    world.after(network.delayMs(from, to), () => {
      if (network.passes(from, to)) return then();
      if (random.chance(0.5)) world.after(random.spread(10, 5000), () => this.#travel(from, to, then));
    });
  }

  #note(command: Command, startMs: number, answer: Answer): void {
    const { world } = this.#parts;
    const { op, key } = command;
    const known = answer.kind === 'ok';
    if (answer.kind === 'error' || (op === 'get' && !known)) return;
    const operation: Operation = {
      kind: op === 'set' ? 'write' : 'read',
      value: command.op === 'set' ? command.value : known ? answer.value : null,
      startMs,
      endMs: known ? world.nowMs : Infinity,
    };
    if (known) this.acknowledged += 1;
    world.tell('client', `${op} ${key} ${operation.value} ${known ? 'ok' : 'unknown'}, asked at ${startMs.toFixed(3)}`);
    const operations = this.history.get(key) ?? [];
    operations.push(operation);
    this.history.set(key, operations);
  }
}
