import * as Args from './args.ts';
import * as Flags from './flags.ts';
import { loadConfig } from '../config/load.ts';
import { examine, rolesFor } from '../daemon/doctor/doctor.ts';
import { worstOf } from '../daemon/doctor/finding.ts';
import { HsctlCommand, jsonFlag } from './base.ts';
import { renderFindings } from './render/findings.ts';
import { NAGIOS_EXIT } from './render/severity.ts';

export class Doctor extends HsctlCommand {
  static override summary =
    'Check this machine for its role: rights, tools, clocks, ports, certificates, disks, reach.';
  static override description =
    'Looks only at what the configuration makes matter, and changes nothing. Exit code 0: all is well, 1: warnings, 2: something critical (or no valid configuration).';
  static override args = {
    role: Args.string({
      options: ['controller', 'agent'],
      description: 'what the machine is for; default: by its addresses',
    }),
  };
  static override flags = {
    node: Flags.string({ helpValue: 'NODE', description: 'the node that it is to be; default: by its addresses' }),
    verbose: Flags.boolean({ char: 'v', description: 'show what is well, too' }),
    json: jsonFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = this.parse(Doctor);
    const { config, warnings } = loadConfig(flags.config);
    for (const each of warnings) this.printAside(`${this.paint('poor', 'warning:')} ${each}`);
    const findings = await examine(config, rolesFor(config, args.role, flags.node), this.scheduler);
    const severity = worstOf(findings);
    if (flags.json) this.printAnswer({ severity, findings });
    else this.print(...renderFindings(findings, flags.verbose, this.paint));
    process.exitCode = NAGIOS_EXIT[severity];
  }
}
