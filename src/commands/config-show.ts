import { loadConfig } from '../config/load.ts';
import { showConfig } from '../config/show.ts';
import { HsctlCommand } from './base.ts';

export class ConfigShow extends HsctlCommand {
  static override summary = 'Print the configuration with everything filled in that was left out.';

  async run(): Promise<void> {
    const { flags } = this.parse(ConfigShow);
    const { config, warnings } = loadConfig(flags.config);
    for (const warning of warnings) this.printAside(`${this.paint('poor', 'warning:')} ${warning}`);
    this.print(showConfig(config).trimEnd());
  }
}
