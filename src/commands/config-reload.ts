import * as Flags from './flags.ts';
import { EXIT } from '../kit/errors.ts';
import { jsonFlag } from './base.ts';
import { ControllerCommand } from './controller-place.ts';

export class ConfigReload extends ControllerCommand {
  static override summary = 'Make the controller and its agents read their configuration again.';
  static override description =
    'A file with errors, on whichever machine, changes nothing; groups that did not change feel nothing. What only a restart brings about is said, with the daemon that needs it.';
  static override flags = {
    'dry-run': Flags.boolean({ char: 'n', description: 'only say what would change' }),
    force: Flags.boolean({ description: 'take groups out that are not in the file any more, although they serve' }),
    json: jsonFlag,
  };

  async run(): Promise<void> {
    const { flags } = this.parse(ConfigReload);
    const client = await this.client(flags);
    const wish = { dryRun: flags['dry-run'], force: flags.force, operator: this.operator };
    const reload = await client.reload(wish);
    if (reload.refusals.length > 0) process.exitCode = EXIT.failed;
    if (flags.json) return this.printJson(reload);
    for (const change of reload.changes) this.print(change);
    for (const restart of reload.restarts) this.print(`${this.paint('poor', 'after a restart:')} ${restart}`);
    for (const note of reload.notes) this.print(`${this.paint('poor', 'note:')} ${note}`);
    for (const refusal of reload.refusals) this.print(`${this.paint('bad', 'would be refused:')} ${refusal}`);
    if (reload.applied) this.print('applied');
    else if (reload.changes.length > 0) this.print('nothing was applied');
    else this.print(reload.restarts.length > 0 ? 'nothing changes without a restart' : 'nothing has changed');
  }
}
