import * as Args from './args.ts';
import * as Flags from './flags.ts';
import { jsonFlag } from './base.ts';
import { ControllerCommand } from './controller-place.ts';
import { findGroup } from './target.ts';

export class Pause extends ControllerCommand {
  static override summary = 'Do not fail a group over for a while, say for maintenance.';
  static override description =
    'Leases go on, and "hsctl status" says in its first line that the group is paused. It ends by itself, or with "hsctl resume".';
  static override args = { group: Args.string({ description: 'may be left out where there is one group' }) };
  static override flags = {
    for: Flags.duration({ default: 3_600_000, description: 'how long' }),
    json: jsonFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = this.parse(Pause);
    const client = await this.client(flags);
    const { group } = await findGroup(client, args.group);
    const action = await client.pause({ group, forMs: flags.for, operator: this.operator });
    if (flags.json) this.printJson(action);
    else this.print(action.message);
  }
}
