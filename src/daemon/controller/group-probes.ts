import type { GroupConfig } from '../../config/config.ts';
import type { Scheduler } from '../../kit/clock.ts';
import type { Logger } from '../../kit/logger.ts';
import type { Random } from '../../kit/random.ts';
import type { Service } from '../../kit/service.ts';
import { Prober } from '../../probes/prober.ts';
import type { ProbeVerdict } from '../../probes/runner.ts';

export interface GroupProbesDeps {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
}

/** The controller's own probes of one group: from here to the app of each node, if the group has any. */
export class GroupProbes implements Service {
  readonly #probers: readonly Prober[];

  constructor(group: GroupConfig, deps: GroupProbesDeps, onVerdict: (node: string, verdict: ProbeVerdict) => void) {
    const { probe: set } = group.app;
    const { scheduler, random, logger } = deps;
    this.#probers =
      set === null
        ? []
        : group.nodes.map(
            ({ id, address, appPort }) =>
              new Prober({
                set,
                from: 'controller',
                target: { host: address, port: appPort },
                scheduler,
                random,
                logger: logger.child({ node: id }),
                onChange: (verdict) => onVerdict(id, verdict),
              }),
          );
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#probers.map((prober) => prober.run(signal)));
  }
}
