import * as Args from './args.ts';
import { jsonFlag } from './base.ts';
import { ControllerCommand } from './controller-place.ts';
import { missingNode } from './drain.ts';
import { findNode } from './target.ts';

export class Fenced extends ControllerCommand {
  static override summary = 'Say that a node is off: you have made sure of it yourself.';
  static override description =
    'Where a former master may still serve, and its fence commands fail or there are none. Its machine has to be off, or cut off for good: two nodes may serve at once if your word is wrong. Refused while the node is heard.';
  static override args = {
    group: Args.string({ description: 'may be left out where there is one group' }),
    node: Args.string({ description: 'the node that is off' }),
  };
  static override flags = { json: jsonFlag };

  async run(): Promise<void> {
    const { args, flags } = this.parse(Fenced);
    const client = await this.client(flags);
    const { group, node } = await findNode(client, args);
    if (node === null)
      throw missingNode(
        'fenced',
        group.nodes.map((each) => each.id),
      );
    const action = await client.fenced({ group: group.group, node, operator: this.operator });
    if (flags.json) this.printJson(action);
    else this.print(action.message);
  }
}
