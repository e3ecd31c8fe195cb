import * as Args from '@oclif/core/args';
import { HsctlCommand } from './base.ts';
import { stopSignal } from './stop-signal.ts';

export class Agent extends HsctlCommand {
  static override summary = 'Run the agent of a node: replicates its state, watches its app, knows its role.';
  static override description =
    'Runs in the foreground until SIGTERM, and logs to standard output: JSON lines, or readable ones on a terminal. HSCTL_LOG=debug tells more.';
  static override args = {
    group: Args.string({ required: true, description: 'the group' }),
    node: Args.string({ required: true, description: 'the node that this machine is' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Agent);
    const { runAgent } = await import('../daemon/agent.ts');
    await runAgent(flags.config, args.group, args.node, stopSignal());
  }
}
