import * as Args from './args.ts';
import * as Flags from './flags.ts';
import type { GroupEvent } from '../model/event.ts';
import { ControllerCommand } from './controller-place.ts';
import { renderEvent } from './render/events.ts';

export class Events extends ControllerCommand {
  static override summary = 'Show what happened: every decision with its rule and the time of each phase.';
  static override args = { group: Args.string({ description: 'of one group only' }) };
  static override flags = {
    follow: Flags.boolean({ char: 'f', description: 'go on with each new event' }),
    lines: Flags.integer(
      1,
      1_000,
    )({
      char: 'n',
      default: 20,
      helpValue: 'N',
      description: 'how many of the latest',
    }),
    json: Flags.boolean({ description: 'print one JSON object a line' }),
  };

  async run(): Promise<void> {
    const { args, flags } = this.parse(Events);
    const client = await this.client(flags);
    const query = { limit: flags.lines, ...(args.group !== undefined && { group: args.group }) };
    const show = (event: GroupEvent): void =>
      flags.json ? this.printJsonText(JSON.stringify(event)) : this.print(renderEvent(event, this.paint));
    if (flags.follow) return client.followEvents(query, show, new AbortController().signal);
    const events = await client.events(query);
    for (const event of events) show(event);
    if (events.length === 0 && !flags.json) this.printAside('no events yet');
  }
}
