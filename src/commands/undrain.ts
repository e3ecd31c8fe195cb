import * as Args from './args.ts';
import { jsonFlag } from './base.ts';
import { ControllerCommand } from './controller-place.ts';
import { missingNode } from './drain.ts';
import { findNode } from './target.ts';

export class Undrain extends ControllerCommand {
  static override summary = 'Let a drained node take part again.';
  static override args = {
    group: Args.string({ description: 'may be left out where there is one group' }),
    node: Args.string({ description: 'the node' }),
  };
  static override flags = { json: jsonFlag };

  async run(): Promise<void> {
    const { args, flags } = this.parse(Undrain);
    const client = await this.client(flags);
    const { group, node } = await findNode(client, args);
    if (node === null)
      throw missingNode(
        'undrain',
        group.nodes.map((each) => each.id),
      );
    const action = await client.undrain({ group: group.group, node, operator: this.operator });
    if (flags.json) this.printJson(action);
    else this.print(action.message);
  }
}
