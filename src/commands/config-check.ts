import { groupDigest } from '../config/digest.ts';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { ApiClient } from '../api/client.ts';
import { HsctlError } from '../kit/errors.ts';
import { HsctlCommand } from './base.ts';

export class ConfigCheck extends HsctlCommand {
  static override summary = 'Check the configuration file, and whether the controller has it in force.';
  static override description =
    'Every error names its place in the file, what was found and what would do; all errors at once.';

  async run(): Promise<void> {
    const { flags } = this.parse(ConfigCheck);
    const { config, warnings } = loadConfig(flags.config);
    for (const warning of warnings) this.printAside(`${this.paint('poor', 'warning:')} ${warning}`);
    const groups = config.groups.length === 1 ? '1 group' : `${config.groups.length} groups`;
    this.print(`${flags.config}: cluster ${config.cluster}, ${groups}: no errors`);
    const differing = await this.#differing(config);
    if (differing.length > 0) {
      this.print(
        `the controller runs with another configuration of ${differing.join(', ')}; "hsctl config reload" brings it up to date`,
      );
    }
  }

  /** Groups that the running controller, if there is one, has in another form than the file. */
  async #differing(config: Config): Promise<readonly string[]> {
    let running: Readonly<Record<string, string>>;
    try {
      running = await new ApiClient(config.controller.socket, this.scheduler).configDigests();
    } catch (error) {
      if (error instanceof HsctlError) return [];
      throw error;
    }
    const written = new Map(config.groups.map((group) => [group.name, groupDigest(config.cluster, group)]));
    const names = new Set([...written.keys(), ...Object.keys(running)]);
    return [...names].filter((name) => written.get(name) !== running[name]);
  }
}
