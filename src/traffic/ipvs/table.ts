/** The kernel's table of services, by ipvsadm. */

import { HsctlError } from '../../kit/errors.ts';
import { TOOL_TIMEOUT_MS, type TrafficDeps } from '../deps.ts';
import { parseSaved } from './parse.ts';
import type { IpvsService, IpvsStep } from './plan.ts';

export type IpvsServices = ReadonlyMap<string, IpvsService>;
type Run = TrafficDeps['run'];

const tables = new WeakMap<Run, IpvsTable>();

/**
 * What drivers ask for at the same moment is done by one program for all of them: when a master changes, each entry of a
 * director reads, changes and reads back, and to start a program takes longer than its work.
 */
export class IpvsTable {
  readonly #run: Run;
  #read: Promise<IpvsServices> | null = null;
  #change: { readonly steps: IpvsStep[]; readonly done: Promise<void> } | null = null;
  /** Of the programs that change something; one at a time. Never rejects. */
  #changed: Promise<void> = Promise.resolve();

  private constructor(run: Run) {
    this.#run = run;
  }

  /** The one table to which programs that are started this way lead. */
  static of({ run }: Pick<TrafficDeps, 'run'>): IpvsTable {
    const table = tables.get(run) ?? new IpvsTable(run);
    tables.set(run, table);
    return table;
  }

  /** All services as they are after this call. @throws HsctlError with the program's stderr */
  read(): Promise<IpvsServices> {
    this.#read ??= afterOthers().then(async () => {
      this.#read = null; // whoever asks from now on wants to see what is changed from now on
      return parseSaved(await this.ipvsadm(['-Sn']));
    });
    return this.#read;
  }

  /**
   * Executes lines in order. The program goes on behind a line that failed and tells only of the last one, which may be
   * somebody else's, so read back. @throws HsctlError with the program's stderr
   */
  change(steps: readonly IpvsStep[]): Promise<void> {
    this.#change ??= this.#collect();
    this.#change.steps.push(...steps);
    return this.#change.done;
  }

  /** @throws HsctlError with the program's stderr, and what would do */
  async ipvsadm(options: readonly string[], input = ''): Promise<string> {
    try {
      const { stdout } = await this.#run(['ipvsadm', ...options], { timeoutMs: TOOL_TIMEOUT_MS, input });
      return stdout;
    } catch (error) {
      if (!(error instanceof HsctlError)) throw error;
      throw new HsctlError(error.code, error.message, hintFor(error), { cause: error });
    }
  }

  #collect(): { steps: IpvsStep[]; done: Promise<void> } {
    const steps: IpvsStep[] = [];
    const done = Promise.all([this.#changed, afterOthers()]).then(async () => {
      this.#change = null;
      await this.ipvsadm(['-R'], `${steps.join('\n')}\n`);
    });
    this.#changed = done.catch(() => undefined);
    return { steps, done };
  }
}

/** Resolves when all that is ready to run by now has run, so that it can join. */
function afterOthers(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function hintFor(error: HsctlError): string {
  if (/no such program/.test(error.message)) return 'apt-get install ipvsadm';
  if (/Can't initialize ipvs|Protocol not available/.test(error.message)) return 'Load the module: modprobe ip_vs.';
  if (/Permission denied|Operation not permitted|root/.test(error.message)) return 'it needs root or CAP_NET_ADMIN';
  return error.hint;
}
