import type { GroupConfig, NodeConfig } from '../../config/config.ts';
import type { Scheduler } from '../../kit/clock.ts';
import type { Random } from '../../kit/random.ts';
import { makeProbe } from '../../probes/make-probe.ts';
import { ProbeRunner, type ProbeVerdict } from '../../probes/runner.ts';

/**
 * The agent's own probe of its app, run while the node is master: a slave's app need not take clients, so that
 * a probe of it would say nothing. Each reign is judged anew.
 */
export class LocalProbe {
  readonly #group: GroupConfig;
  readonly #node: NodeConfig;
  readonly #deps: { readonly scheduler: Scheduler; readonly random: Random };
  readonly #onVerdict: (verdict: ProbeVerdict | null) => void;
  #stop: AbortController | null = null;

  /** `onVerdict` is told null when the probe ends. */
  constructor(
    group: GroupConfig,
    node: NodeConfig,
    deps: { readonly scheduler: Scheduler; readonly random: Random },
    onVerdict: (verdict: ProbeVerdict | null) => void,
  ) {
    this.#group = group;
    this.#node = node;
    this.#deps = deps;
    this.#onVerdict = onVerdict;
  }

  start(): void {
    this.stop();
    const { probe } = this.#group.app;
    if (probe === null) return;
    this.#stop = new AbortController();
    const runner = new ProbeRunner({
      probe: makeProbe(probe),
      target: { host: this.#node.address, port: this.#node.appPort },
      timing: probe,
      ...this.#deps,
      onChange: (verdict) => this.#onVerdict(verdict),
    });
    void runner.run(this.#stop.signal);
  }

  stop(): void {
    if (this.#stop === null) return;
    this.#stop.abort();
    this.#stop = null;
    this.#onVerdict(null);
  }
}
