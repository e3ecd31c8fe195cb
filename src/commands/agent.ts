import * as Args from './args.ts';
import { HsctlError } from '../kit/errors.ts';
import { HsctlCommand } from './base.ts';
import { stopSignal } from './stop-signal.ts';

export class Agent extends HsctlCommand {
  static override summary = 'Run the agent of a node: replicates its state, watches its app, knows its role.';
  static override description =
    'Runs in the foreground until SIGTERM, and logs to standard output: JSON lines, or readable ones on a terminal. HSCTL_LOG=debug tells more.';
  static override args = {
    group: Args.string({ required: true, description: 'the group, or GROUP:NODE in one word' }),
    node: Args.string({ description: 'the node that this machine is' }),
  };

  async run(): Promise<void> {
    const { args, flags } = this.parse(Agent);
    const [group = '', node, ...more] = [...args.group.split(':'), ...(args.node === undefined ? [] : [args.node])];
    if (node === undefined) throw new HsctlError('usage', `which node of ${group}?`, 'name it: hsctl agent GROUP NODE');
    if (more.length > 0) throw new HsctlError('usage', `${more.join(' ')}: there is a node already, ${node}`);
    const { runAgent } = await import('../daemon/agent.ts');
    await runAgent(flags.config, group, node, stopSignal());
  }
}
