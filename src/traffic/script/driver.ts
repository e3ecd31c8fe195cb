/**
 * Traffic moved by a program of the user's: `COMMAND status` prints the node that has it now (`-` for none, nothing if
 * it cannot tell), `COMMAND apply NODE|-` moves it. Both get what is desired in the environment.
 */

import type { TrafficConfig } from '../../config/config.ts';
import type { DesiredTraffic } from '../../controller/ports.ts';
import { HsctlError } from '../../kit/errors.ts';
import { assertKnown, type Backend } from '../backends.ts';
import { type DirectorDriver, type Finding, findingOf, type TrafficDeps } from '../deps.ts';
import { Latest } from '../latest.ts';
import { activeOf, needsApply, parseStatus, scriptEnvironment, type ScriptStatus } from './plan.ts';

export type ScriptConfig = Extract<TrafficConfig, { readonly type: 'script' }>;

export class ScriptDriver implements DirectorDriver {
  readonly name: string;
  readonly #config: ScriptConfig;
  readonly #group: string;
  readonly #backends: readonly Backend[];
  readonly #deps: TrafficDeps;
  readonly #latest: Latest<DesiredTraffic>;
  #applied: DesiredTraffic | null = null;

  constructor(config: ScriptConfig, group: string, backends: readonly Backend[], deps: TrafficDeps) {
    this.name = `script ${config.command[0] ?? ''}`;
    this.#config = config;
    this.#group = group;
    this.#backends = backends;
    this.#deps = deps;
    this.#latest = new Latest((desired) => this.#bring(desired));
  }

  async apply(desired: DesiredTraffic): Promise<void> {
    assertKnown(this.#backends, desired.active);
    await this.#latest.submit(desired);
  }

  /** A script cannot tell. */
  async connections(): Promise<number | null> {
    return null;
  }

  /** Asks the script for its status. */
  async check(): Promise<readonly Finding[]> {
    try {
      await this.#status({ active: null, hold: false, dead: [], epoch: 0 });
      return [];
    } catch (error) {
      return [findingOf(error)];
    }
  }

  async close(): Promise<void> {
    await this.#latest.idle();
  }

  async #bring(desired: DesiredTraffic): Promise<void> {
    if (!needsApply(desired, await this.#status(desired), this.#applied)) {
      this.#applied = desired;
      return;
    }
    this.#applied = null;
    const wanted = activeOf(desired);
    await this.#run(['apply', wanted ?? '-'], desired);
    const actual = await this.#status(desired);
    if (actual !== 'unknown' && actual.active !== wanted) {
      throw new HsctlError(
        'failed',
        `${this.name}: traffic should go to ${wanted ?? 'nobody'}, but \`status\` says ${actual.active ?? 'nobody'}`,
        'run the script by hand with "status": it must print the name of the node, or "-"',
      );
    }
    this.#applied = desired;
  }

  async #status(desired: DesiredTraffic): Promise<ScriptStatus> {
    return parseStatus(await this.#run(['status'], desired));
  }

  async #run(words: readonly string[], desired: DesiredTraffic): Promise<string> {
    const { stdout } = await this.#deps.run([...this.#config.command, ...words], {
      timeoutMs: this.#config.timeoutMs,
      env: scriptEnvironment(this.#group, this.#backends, desired),
      cutOutput: true,
    });
    return stdout;
  }
}
