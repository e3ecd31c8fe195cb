import type { ProbeConfig, ProbeSet } from '../config/config.ts';
import type { Logger } from '../kit/logger.ts';
import type { Service } from '../kit/service.ts';
import { makeProbe } from './make-probe.ts';
import type { ProbeDeps, ProbeTarget } from './probe.ts';
import { ProbeRunner, type ProbeVerdict } from './runner.ts';

const WARNING_CHARACTERS = 400;

export interface ProberOptions extends ProbeDeps {
  readonly set: ProbeSet;
  /** Who probes: each runs those that are meant for it. */
  readonly from: 'agent' | 'controller';
  readonly target: ProbeTarget;
  readonly logger: Logger;
  /** Called at each change of the verdict on the node or of what is warned of. */
  readonly onChange: (verdict: ProbeVerdict) => void;
}

/** All probes of one node that one place runs, and one verdict over them. */
export class Prober implements Service {
  readonly #options: ProberOptions;
  readonly #runners: readonly { readonly name: string; readonly runner: ProbeRunner }[];
  #published: ProbeVerdict = { verdict: 'unknown', detail: '', warning: '' };

  constructor(options: ProberOptions) {
    this.#options = options;
    const { set, from, target, scheduler, random } = options;
    const own = set.of.filter((probe) => probe.from === 'both' || probe.from === from);
    this.#runners = own.map((config) => ({
      name: nameOf(config),
      runner: new ProbeRunner({
        probe: makeProbe(from === 'agent' ? withoutSource(config) : config, { scheduler, random }),
        target,
        timing: config,
        scheduler,
        random,
        onChange: () => this.#onChange(),
      }),
    }));
  }

  /** Probes until `signal` aborts; resolves when nothing of the probes is left. Not to be run twice. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#runners.map(({ runner }) => runner.run(signal)));
  }

  #onChange(): void {
    const { set, target, logger, onChange } = this.#options;
    const found = this.#runners.map(({ name, runner }) => ({ name, ...runner.observation }));
    const verdict = combine(set.need, found);
    const before = this.#published;
    this.#published = verdict;
    if (verdict.warning !== '' && verdict.warning !== before.warning) {
      logger.warn('a probe warns', { host: target.host, warning: verdict.warning });
    }
    if (verdict.verdict !== before.verdict || verdict.warning !== before.warning) onChange(verdict);
  }
}

/** What probes warn of, as status and reports have it. */
export function probeWarnings({ warning = '' }: Pick<ProbeVerdict, 'warning'>): readonly string[] {
  return warning === '' ? [] : [`probe: ${warning.slice(0, WARNING_CHARACTERS)}`];
}

type Found = ProbeVerdict & { readonly name: string };

/** One verdict over several probes, with what those saw that made it. */
function combine(need: ProbeSet['need'], found: readonly Found[]): ProbeVerdict {
  const [decisive, other] = need === 'all' ? (['down', 'up'] as const) : (['up', 'down'] as const);
  const deciding = found.filter(({ verdict }) => verdict === decisive);
  const rest = found.every(({ verdict }) => verdict === other) ? other : 'unknown';
  const told = (of: readonly Found[], text: (each: Found) => string): string =>
    of.map((each) => (found.length === 1 ? text(each) : `${each.name}: ${text(each)}`)).join('; ');
  return {
    verdict: deciding.length > 0 ? decisive : rest,
    detail: told(deciding.length > 0 ? deciding : found, ({ detail }) => detail),
    warning: told(
      found.filter(({ warning = '' }) => warning !== ''),
      ({ warning = '' }) => warning,
    ),
  };
}

/** How a probe is called among others: `http 8080`. */
function nameOf(config: ProbeConfig): string {
  return 'port' in config && config.port !== null ? `${config.type} ${config.port}` : config.type;
}

/** An agent probes its own machine, from the address that the system takes for it. */
function withoutSource(config: ProbeConfig): ProbeConfig {
  return 'source' in config ? { ...config, source: null } : config;
}
