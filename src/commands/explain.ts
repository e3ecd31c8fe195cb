import * as Args from './args.ts';
import { jsonFlag } from './base.ts';
import { ControllerCommand } from './controller-place.ts';
import { renderExplanation } from './render/explanation.ts';
import { findGroup } from './target.ts';

export class Explain extends ControllerCommand {
  static override summary = 'Say why a group does, or does not, fail over: each rule with the guards that block it.';
  static override args = { group: Args.string({ description: 'may be left out where there is one group' }) };
  static override flags = { json: jsonFlag };

  async run(): Promise<void> {
    const { args, flags } = this.parse(Explain);
    const client = await this.client(flags);
    const { group } = await findGroup(client, args.group);
    const explanation = await client.explain(group);
    if (flags.json) this.printJson(explanation);
    else this.print(...renderExplanation(explanation, this.paint));
  }
}
