import type { GroupConfig } from '../../config/config.ts';
import type { Scheduler } from '../../kit/clock.ts';
import type { Random } from '../../kit/random.ts';
import type { Service } from '../../kit/service.ts';
import { makeProbe } from '../../probes/make-probe.ts';
import { ProbeRunner, type ProbeVerdict } from '../../probes/runner.ts';

/** The controller's own probes of one group: from here to the app of each node, if the group has a probe. */
export class GroupProbes implements Service {
  readonly #runners: readonly ProbeRunner[];

  constructor(
    group: GroupConfig,
    { scheduler, random }: { readonly scheduler: Scheduler; readonly random: Random },
    onVerdict: (node: string, verdict: ProbeVerdict) => void,
  ) {
    const { probe } = group.app;
    this.#runners =
      probe === null
        ? []
        : group.nodes.map(
            ({ id, address, appPort }) =>
              new ProbeRunner({
                probe: makeProbe(probe),
                target: { host: address, port: appPort },
                timing: probe,
                scheduler,
                random,
                onChange: (verdict) => onVerdict(id, verdict),
              }),
          );
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#runners.map((runner) => runner.run(signal)));
  }
}
