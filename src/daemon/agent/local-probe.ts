import type { GroupConfig, NodeConfig } from '../../config/config.ts';
import { isSame } from '../../config/differences.ts';
import type { Scheduler } from '../../kit/clock.ts';
import type { Logger } from '../../kit/logger.ts';
import type { Random } from '../../kit/random.ts';
import { Prober, probeWarnings } from '../../probes/prober.ts';
import type { ProbeVerdict } from '../../probes/runner.ts';

interface LocalProbeDeps {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * The agent's own probe of its app, run while the node is master: a slave's app need not take clients, so that
 * a probe of it would say nothing. Each reign is judged anew.
 */
export class LocalProbe {
  #group: GroupConfig;
  readonly #node: NodeConfig;
  readonly #deps: LocalProbeDeps;
  readonly #onVerdict: (verdict: ProbeVerdict | null) => void;
  /** Whether the node is master, whether or not there is anything to probe. */
  #isWanted = false;
  #stop: AbortController | null = null;
  #warnings: readonly string[] = [];

  /** `onVerdict` is told null when the probe ends. */
  constructor(
    group: GroupConfig,
    node: NodeConfig,
    deps: LocalProbeDeps,
    onVerdict: (verdict: ProbeVerdict | null) => void,
  ) {
    this.#group = group;
    this.#node = node;
    this.#deps = deps;
    this.#onVerdict = onVerdict;
  }

  /** What the probe warns of though it does not fail. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  start(): void {
    this.stop();
    this.#isWanted = true;
    const { probe: set } = this.#group.app;
    if (set === null) return;
    this.#stop = new AbortController();
    const prober = new Prober({
      set,
      from: 'agent',
      target: { host: this.#node.address, port: this.#node.appPort },
      ...this.#deps,
      onChange: (verdict) => {
        this.#warnings = probeWarnings(verdict);
        this.#onVerdict(verdict);
      },
    });
    void prober.run(this.#stop.signal);
  }

  /** Probes by another configuration from now on; goes on as before where it says the same of probes. */
  reconfigure(group: GroupConfig): void {
    const isSameProbe = isSame(this.#group.app.probe, group.app.probe);
    this.#group = group;
    if (!isSameProbe && this.#isWanted) this.start();
  }

  stop(): void {
    this.#isWanted = false;
    if (this.#stop === null) return;
    this.#stop.abort();
    this.#stop = null;
    this.#warnings = [];
    this.#onVerdict(null);
  }
}
