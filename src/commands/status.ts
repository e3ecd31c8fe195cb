import * as Args from './args.ts';
import * as Flags from './flags.ts';
import type { ApiClient } from '../api/client.ts';
import { sleep } from '../kit/clock.ts';
import { EXIT, HsctlError, messageOf } from '../kit/errors.ts';
import type { ClusterStatus } from '../model/status.ts';
import { jsonFlag } from './base.ts';
import { ControllerCommand } from './controller-place.ts';
import { NAGIOS_EXIT, renderCheck } from './render/severity.ts';
import { renderStatus } from './render/status.ts';

const REDRAW_MS = 1_000;
const CLEAR_SCREEN = '\x1b[H\x1b[J';

type Place = Parameters<Status['client']>[0];

export class Status extends ControllerCommand {
  static override summary = 'Show who serves, the health and lag of each node, and what is wrong.';
  static override description =
    'The first line says what is wrong, or that all is well. Where no controller answers, the agents on this machine are asked, and the exit code is 3.';
  static override args = { group: Args.string({ description: 'one group only' }) };
  static override flags = {
    watch: Flags.boolean({ char: 'w', description: 'show it again every second', exclusive: ['check'] }),
    json: jsonFlag,
    check: Flags.boolean({ description: 'print one line and exit as a Nagios check does', exclusive: ['json'] }),
  };

  async run(): Promise<void> {
    const { args, flags } = this.parse(Status);
    if (flags.check) return this.#check(flags, args.group);
    const client = await this.client(flags);
    if (flags.watch) return this.#watch(client, flags, args.group);
    this.#show(await this.#find(client, flags, args.group), flags.json);
  }

  /** From the controller, else from the agents here. @throws HsctlError('unreachable') if none of them answers */
  async #find(client: ApiClient, flags: Place, group: string | undefined): Promise<ClusterStatus> {
    try {
      return await client.status(group);
    } catch (error) {
      if (!(error instanceof HsctlError) || error.code !== 'unreachable') throw error;
      // Who asked for a controller elsewhere does not mean the agents here.
      if (flags.controller !== undefined) throw error;
      const { localStatus } = await import('./local-status.ts');
      const local = await localStatus(flags.config, group, this.scheduler).catch(() => null);
      if (local === null) throw error;
      process.exitCode = EXIT.unreachable;
      return local;
    }
  }

  #show(status: ClusterStatus, json: boolean): void {
    if (json) this.printJson(status);
    else this.print(...renderStatus(status, this.paint));
  }

  async #watch(client: ApiClient, flags: Place & { readonly json: boolean }, group: string | undefined): Promise<void> {
    const clear = process.stdout.isTTY && !flags.json ? CLEAR_SCREEN : '';
    for (;;) {
      try {
        const status = await this.#find(client, flags, group);
        process.stdout.write(clear);
        if (flags.json) this.printJsonText(JSON.stringify(status));
        else this.#show(status, false);
      } catch (error) {
        if (!(error instanceof HsctlError) || error.code !== 'unreachable') throw error;
        process.stdout.write(clear);
        this.printAside(this.paint('bad', messageOf(error)));
      }
      await sleep(this.scheduler, REDRAW_MS);
    }
  }

  /** Nagios takes whatever goes wrong as `unknown`, and reads standard output only. */
  async #check(flags: Place, group: string | undefined): Promise<void> {
    let status: Pick<ClusterStatus, 'severity' | 'summary'>;
    try {
      status = await this.#find(await this.client(flags), flags, group);
    } catch (error) {
      if (!(error instanceof HsctlError)) throw error;
      status = { severity: 'unknown', summary: `${error.message}; ${error.hint}` };
    }
    this.print(renderCheck(status));
    process.exitCode = NAGIOS_EXIT[status.severity];
  }
}
