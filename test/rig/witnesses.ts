import { AddressWatch } from './address-watch.ts';
import { NODES, type NodeName } from './cluster.ts';
import { commonStretches, registerViolations, servingStretches, type Stretch } from './register-entries.ts';
import { RegisterRun } from './register-run.ts';
import type { Rig } from './rig.ts';

/** Port of the apps on their nodes. */
const APP_PORT = 9000;

export interface Testimony {
  /** What no order of the operations explains; empty if all that clients were told fits together. */
  readonly violations: readonly string[];
  /** When both apps surely took requests, asked on their own nodes. */
  readonly bothServed: readonly Stretch[];
  /** When both nodes held the service's address. */
  readonly bothHeld: readonly Stretch[];
}

/**
 * Whoever looks at a pair from outside, whatever befalls it: clients of the service that write and read the same few
 * entries, a client on each node that asks the node's own app, so that no cut hides it, and a watch of the address.
 */
export class Witnesses {
  readonly #service: RegisterRun;
  readonly #onNodes: readonly [RegisterRun, RegisterRun];
  readonly #watch: AddressWatch;

  private constructor(service: RegisterRun, onNodes: readonly [RegisterRun, RegisterRun], watch: AddressWatch) {
    this.#service = service;
    this.#onNodes = onNodes;
    this.#watch = watch;
  }

  /** @param address that only one node may hold at a time */
  static async start(rig: Rig, service: string, address: string): Promise<Witnesses> {
    const onNode = (node: NodeName): Promise<RegisterRun> =>
      RegisterRun.start(rig.host(node), { to: `${rig.host(node).address}:${APP_PORT}`, workers: 2, everyMs: 30 });
    const [a, b] = NODES;
    return new Witnesses(
      await RegisterRun.start(rig.host('client'), { to: service, workers: 4, everyMs: 40 }),
      [await onNode(a), await onNode(b)],
      await AddressWatch.start(address, rig.host(a), rig.host(b)),
    );
  }

  /** How often they have looked at the addresses. */
  get looks(): number {
    return this.#watch.looks;
  }

  async stop(): Promise<Testimony> {
    const bothHeld = this.#watch.stop();
    const [one, other] = this.#onNodes;
    const [seen, seenAtOne, seenAtOther] = [await this.#service.stop(), await one.stop(), await other.stop()];
    return {
      violations: registerViolations([...seen, ...seenAtOne, ...seenAtOther]),
      bothServed: commonStretches(servingStretches(seenAtOne), servingStretches(seenAtOther)),
      bothHeld,
    };
  }
}
