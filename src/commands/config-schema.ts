import { configJsonSchema } from '../config/json-schema.ts';
import { HsctlCommand } from './base.ts';

export class ConfigSchema extends HsctlCommand {
  static override summary = 'Print the JSON Schema of the configuration file, for editors.';

  async run(): Promise<void> {
    this.parse(ConfigSchema);
    this.printJson(configJsonSchema());
  }
}
