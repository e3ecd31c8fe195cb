import * as Flags from '@oclif/core/flags';
import { HsctlCommand, jsonFlag } from './base.ts';

export class ConfigReload extends HsctlCommand {
  static override summary = 'Make the controller read its configuration again.';
  static override description = 'A file with errors changes nothing; groups that did not change feel nothing.';
  static override flags = {
    'dry-run': Flags.boolean({ char: 'n', description: 'only say what would change' }),
    json: jsonFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigReload);
    const client = await this.client(flags);
    const reload = await client.reload({ dryRun: flags['dry-run'], operator: this.operator });
    if (flags.json) return this.printJson(reload);
    for (const change of reload.changes) this.print(change);
    for (const restart of reload.restarts) this.print(`${this.paint('poor', 'after a restart:')} ${restart}`);
    if (reload.changes.length === 0 && reload.restarts.length === 0) this.print('nothing has changed');
    else if (!reload.applied) this.print('nothing was applied');
  }
}
