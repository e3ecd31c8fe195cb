import * as Args from './args.ts';
import { jsonFlag } from './base.ts';
import { ControllerCommand } from './controller-place.ts';
import { findGroup } from './target.ts';

export class Resume extends ControllerCommand {
  static override summary = 'End a pause.';
  static override args = { group: Args.string({ description: 'may be left out where there is one group' }) };
  static override flags = { json: jsonFlag };

  async run(): Promise<void> {
    const { args, flags } = this.parse(Resume);
    const client = await this.client(flags);
    const { group } = await findGroup(client, args.group);
    const action = await client.resume({ group, operator: this.operator });
    if (flags.json) this.printJson(action);
    else this.print(action.message);
  }
}
