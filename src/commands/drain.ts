import * as Args from './args.ts';
import * as Flags from './flags.ts';
import { HsctlError } from '../kit/errors.ts';
import { jsonFlag } from './base.ts';
import { ControllerCommand } from './controller-place.ts';
import { renderEvent } from './render/events.ts';
import { findNode } from './target.ts';
import { waitFor } from './waiting.ts';

/** So often a node is looked at whose connections nobody has counted; its agent needs a second to begin. */
const LOOKS_FOR_A_NUMBER = 50;

/** Time for the reset of what is left, after which waiting for it ends. */
const RESET_ALLOWANCE_MS = 5_000;

export class Drain extends ControllerCommand {
  static override summary = 'Take a node out of service: no new work, present connections end.';
  static override description =
    'If the node is master, the other one is promoted first. A drained node is not promoted automatically until "hsctl undrain".';
  static override args = {
    group: Args.string({ description: 'may be left out where there is one group' }),
    node: Args.string({ description: 'the node that is to be drained' }),
  };
  static override flags = {
    timeout: Flags.duration({ description: 'reset the connections that remain after this time (default: leave them)' }),
    wait: Flags.boolean({ allowNo: true, default: false, description: 'wait until no client is left on the node' }),
    json: jsonFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = this.parse(Drain);
    const client = await this.client(flags);
    const { group, node } = await findNode(client, args);
    if (node === null)
      throw missingNode(
        'drain',
        group.nodes.map((each) => each.id),
      );
    const timeoutMs = flags.timeout ?? null;
    const action = await client.drain({ group: group.group, node, timeoutMs, operator: this.operator });
    if (!flags.json) this.printAside(action.message);
    const left = flags.wait
      ? await this.#wait(client, group.group, node, timeoutMs, group.lastEvent?.id ?? 0, flags.json)
      : null;
    if (flags.json) this.printJson(action);
    else if (left === 'none') this.print(`${node} has no more clients`);
    else if (left === 'unknown') this.print(`${node} is drained; nobody can tell whether clients are left`);
  }

  async #wait(
    client: Awaited<ReturnType<Drain['client']>>,
    group: string,
    node: string,
    timeoutMs: number | null,
    afterEventId: number,
    quiet: boolean,
  ): Promise<'none' | 'unknown'> {
    let told = '';
    const say = (line: string): void => {
      if (!quiet && line !== told) this.printAside(line);
      told = line;
    };
    const wait = {
      client,
      scheduler: this.scheduler,
      group,
      timeoutMs: timeoutMs === null ? null : timeoutMs + RESET_ALLOWANCE_MS,
      what: `${node} still has clients`,
      afterEventId,
      onEvent: (event: Parameters<typeof renderEvent>[0]) => {
        if (!quiet) this.printAside(renderEvent(event, this.paint));
      },
    };
    let looksInVain = 0;
    return waitFor(wait, (now) => {
      const found = now.nodes.find((each) => each.id === node);
      if (found?.drained !== true || now.master === node) return null;
      if (found.connections === 0) return 'none';
      if (found.connections === null) return ++looksInVain >= LOOKS_FOR_A_NUMBER ? 'unknown' : null;
      looksInVain = 0;
      say(`${node}: ${found.connections === 1 ? '1 connection' : `${found.connections} connections`} left`);
      return null;
    });
  }
}

/** No node was named where one must be. */
export function missingNode(command: string, nodes: readonly string[]): HsctlError {
  return new HsctlError('usage', 'which node?', `name one: hsctl ${command} GROUP ${nodes.join('|')}`);
}
