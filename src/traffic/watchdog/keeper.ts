import { fileURLToPath } from 'node:url';
import type { Timer } from '../../kit/clock.ts';
import { HsctlError, messageOf } from '../../kit/errors.ts';
import type { NodeTrafficDeps } from '../deps.ts';
import { OpenTool } from '../open-tool.ts';

/** It lies at the same distance from the sources and from their build. */
const PROGRAM = fileURLToPath(new URL('../../../scripts/watchdog/feed.pl', import.meta.url));

/** A device that has bitten restarts the machine this much later than its time at most. */
export const BITE_LATENESS_MS = 500;

export interface WatchdogOptions {
  readonly device: string;
  readonly timeoutS: number;
  /** How often it is fed while the node holds no traffic. */
  readonly periodMs: number;
  /** What feeds the device, for tests. */
  readonly command?: readonly string[];
}

/**
 * The machine's watchdog, fed by the agent under its lease. While the node holds no traffic it is fed by a timer, so that
 * only an agent that stands still lets it bite. While it holds traffic, each renewed lease feeds it, nothing else: where the
 * agent hangs, or the traffic cannot be taken off a node whose lease has ended, the machine is restarted. Only an orderly
 * end stops the device.
 */
export class WatchdogKeeper {
  readonly #options: WatchdogOptions;
  readonly #deps: NodeTrafficDeps;
  readonly #tool: OpenTool;
  #timer: Timer | null = null;
  #underLease = false;
  #trouble = '';

  constructor(options: WatchdogOptions, deps: NodeTrafficDeps) {
    const { device, timeoutS } = options;
    this.#options = options;
    this.#deps = deps;
    const command = [...(options.command ?? ['perl', PROGRAM]), device, String(timeoutS)];
    // One that is stuck is replaced while there is time for another.
    const answerMs = (timeoutS * 1000) / 2;
    this.#tool = new OpenTool({ command, endQuery: 'end', endLine: /^end$/, answerMs }, deps);
  }

  /** Opens the device, which starts it. @throws HsctlError('failed') where it is none, or does not do what is wanted of it */
  async start(): Promise<void> {
    const { device, timeoutS, periodMs } = this.#options;
    await this.#tool.start();
    const trouble = await this.#tool.submit(['feed']).then(({ complaints }) => complaints.join('; '), messageOf);
    if (trouble !== '') {
      await this.#tool.close();
      const hint =
        'load its driver (for one in software: modprobe softdog), or leave watchdog out of the configuration';
      throw new HsctlError('failed', `watchdog: ${trouble}`, hint);
    }
    this.#timer = this.#deps.scheduler.every(periodMs, () => {
      if (!this.#underLease) this.#feed();
    });
    this.#deps.logger.info('the watchdog is fed', { device, timeoutS });
  }

  /** A lease was renewed: from now on only the next renewal feeds it, or the end of the traffic. */
  renewed(): void {
    this.#underLease = true;
    this.#feed();
  }

  /** The traffic is surely off this node. */
  released(): void {
    this.#underLease = false;
    this.#feed();
  }

  /** Stops the device; only for an orderly end, with no traffic on the node. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    if (this.#timer === null) return;
    // It ends by this, so that its answer is the end.
    await this.#tool.submit(['close']).catch(() => undefined);
    await this.#tool.close();
  }

  #feed(): void {
    this.#tool.submit(['feed']).then(
      ({ complaints }) => this.#note(complaints.join('; ')),
      (error: unknown) => this.#note(messageOf(error)),
    );
  }

  #note(trouble: string): void {
    if (trouble !== '' && trouble !== this.#trouble) this.#deps.logger.error(`watchdog: ${trouble}`);
    this.#trouble = trouble;
  }
}
