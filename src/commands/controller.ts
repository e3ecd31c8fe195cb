import { HsctlCommand } from './base.ts';
import { stopSignal } from './stop-signal.ts';

export class Controller extends HsctlCommand {
  static override summary = 'Run the controller: watches all groups, decides, moves traffic.';
  static override description =
    'Runs in the foreground until SIGTERM, and logs to standard output: JSON lines, or readable ones on a terminal. HSCTL_LOG=debug tells more.';

  async run(): Promise<void> {
    const { flags } = this.parse(Controller);
    const { runController } = await import('../daemon/controller.ts');
    await runController(flags.config, stopSignal());
  }
}
