import type { GroupConfig, TrafficConfig } from '../../config/config.ts';
import { groupDifferences, trafficDifferences, withFormer, type Difference } from '../../config/differences.ts';

/**
 * What a changed value of a group does while the daemons run. One row for each key; a key without a row takes a restart of
 * everything, so that nothing is believed to be in force that is not.
 */
interface Effect {
  /** The path in the checked configuration; `*` stands for a node. A row also covers what is below it. */
  readonly path: string;
  readonly controller: 'now' | 'restart' | 'none';
  readonly agent: 'now' | 'restart' | 'none';
  /** Only the agent whose node it is has to be restarted. */
  readonly ownOnly?: true;
  /** What happens, where that is not plain. */
  readonly says?: string;
}

const EFFECTS: readonly Effect[] = [
  { path: 'profile', controller: 'none', agent: 'none', says: 'its numbers are told one by one' },
  { path: 'nodes * address', controller: 'now', agent: 'restart', says: 'the controller looks for it there' },
  {
    path: 'nodes * control',
    controller: 'now',
    agent: 'restart',
    ownOnly: true,
    says: 'the controller looks for it there',
  },
  { path: 'nodes * replication', controller: 'none', agent: 'restart', ownOnly: true },
  { path: 'nodes * appPort', controller: 'now', agent: 'restart', ownOnly: true, says: 'clients and probes go there' },
  { path: 'nodes * socket', controller: 'none', agent: 'restart', ownOnly: true },
  { path: 'nodes * listen', controller: 'none', agent: 'restart', ownOnly: true },
  {
    path: 'nodes * store',
    controller: 'none',
    agent: 'restart',
    ownOnly: true,
    says: 'an empty one is filled by the peer',
  },
  { path: 'nodes * fence', controller: 'now', agent: 'none' },
  { path: 'nodes * watchdog', controller: 'none', agent: 'restart', ownOnly: true },
  { path: 'app probe', controller: 'now', agent: 'now', says: 'verdicts begin anew' },
  { path: 'app heartbeat', controller: 'none', agent: 'now' },
  { path: 'app run', controller: 'none', agent: 'restart' },
  { path: 'app stopTimeoutMs', controller: 'none', agent: 'now' },
  { path: 'app restart', controller: 'none', agent: 'now' },
  { path: 'app promote', controller: 'none', agent: 'now', says: 'from the next change of role' },
  { path: 'app demote', controller: 'none', agent: 'now', says: 'from the next change of role' },
  { path: 'app notify', controller: 'none', agent: 'now', says: 'from the next change of role' },
  { path: 'app hookTimeoutMs', controller: 'now', agent: 'now' },
  { path: 'notify', controller: 'now', agent: 'none', says: 'from the next change of the group' },
  { path: 'app ready', controller: 'now', agent: 'now', says: 'from the next promotion' },
  { path: 'app readyTimeoutMs', controller: 'now', agent: 'now' },
  { path: 'replication ack', controller: 'none', agent: 'restart' },
  { path: 'replication fsync', controller: 'none', agent: 'restart' },
  { path: 'replication catchUpRate', controller: 'none', agent: 'now', says: 'also for a catch-up under way' },
  { path: 'replication catchUpIntervalMs', controller: 'none', agent: 'now', says: 'also for a catch-up under way' },
  { path: 'replication segmentBytes', controller: 'none', agent: 'restart' },
  { path: 'replication tombstonesMs', controller: 'none', agent: 'restart' },
  { path: 'failover fence', controller: 'now', agent: 'none' },
  { path: 'failover mode', controller: 'now', agent: 'none' },
  {
    path: 'failover leaseMs',
    controller: 'now',
    agent: 'now',
    says: 'for grants from now on; those given before are waited out',
  },
  { path: 'failover heartbeatMs', controller: 'now', agent: 'now' },
  { path: 'failover detectMs', controller: 'now', agent: 'now' },
  { path: 'failover stallTimeoutMs', controller: 'none', agent: 'now' },
  { path: 'failover holdDownMs', controller: 'now', agent: 'none' },
  {
    path: 'failover onControllerLoss',
    controller: 'now',
    agent: 'now',
    says: 'from the next change of the master or of the in-sync set',
  },
  { path: 'failover finishWorkMs', controller: 'now', agent: 'now' },
  { path: 'failover switchoverTimeoutMs', controller: 'now', agent: 'now' },
  { path: 'failover prefer', controller: 'now', agent: 'none', says: 'it counts for a fresh pair only' },
];

/** What a reload does to one group, in words. */
export interface GroupPlan {
  readonly changes: readonly string[];
  /** What only a restart brings about, with the daemon that has to be restarted. */
  readonly restarts: readonly string[];
  /** The group as it is then: with the former values of what takes a restart. */
  readonly inForce: GroupConfig;
}

/**
 * For the controller, which also tells what the agents will do if their files say the same. What takes a restart of theirs
 * they say themselves: they may have had it.
 */
export function planForController(before: GroupConfig, after: GroupConfig): GroupPlan {
  const [formerNodes, nodes] = [namesOf(before), namesOf(after)];
  if (formerNodes !== nodes) {
    const what = `its nodes are ${nodes}, not ${formerNodes}: restart the controller, then the agents`;
    return {
      changes: [],
      restarts: [`${before.name}: ${what}; nothing of the group changes until then`],
      inForce: before,
    };
  }
  const changes = trafficChanges(before.traffic, after.traffic);
  const restarts: string[] = [];
  const kept: (readonly string[])[] = [];
  for (const difference of groupDifferences(before, after)) {
    const effect = effectOf(difference);
    if (effect === null || effect.controller === 'restart') {
      restarts.push(`${sentence(difference)} when the controller is restarted`);
      kept.push(difference.path);
    }
    const happensNow = effect !== null && (effect.controller === 'now' || effect.agent === 'now');
    if (happensNow || effect?.path === 'profile') changes.push(withWords(difference, effect));
  }
  return {
    changes: changes.map((line) => `${before.name}: ${line}`),
    restarts: restarts.map((line) => `${before.name}: ${line}`),
    inForce: withFormer(before, after, kept),
  };
}

/** For the agent of the node `own`. */
export function planForAgent(before: GroupConfig, after: GroupConfig, own: string): GroupPlan {
  const [formerNodes, nodes] = [namesOf(before), namesOf(after)];
  if (formerNodes !== nodes)
    return { changes: [], restarts: [`its nodes are ${nodes}, not ${formerNodes}`], inForce: before };
  const changes = trafficChanges(before.traffic, after.traffic);
  const restarts: string[] = [];
  const kept: (readonly string[])[] = [];
  for (const difference of groupDifferences(before, after)) {
    const effect = effectOf(difference);
    const concerns = effect?.ownOnly !== true || difference.path[1] === own;
    if (effect === null || (effect.agent === 'restart' && concerns)) {
      restarts.push(sentence(difference));
      kept.push(difference.path);
    } else if (effect.agent === 'now') changes.push(withWords(difference, effect));
  }
  return { changes, restarts, inForce: withFormer(before, after, kept) };
}

function namesOf({ nodes }: GroupConfig): string {
  return nodes.map(({ id }) => id).join(' and ');
}

function effectOf({ path }: Difference): Effect | null {
  const words = path[0] === 'nodes' ? ['nodes', '*', ...path.slice(2)] : path;
  const text = words.join(' ');
  return EFFECTS.find((effect) => text === effect.path || text.startsWith(`${effect.path} `)) ?? null;
}

function sentence({ key, before, after }: Difference): string {
  return `${key}: ${before} becomes ${after}`;
}

function withWords(difference: Difference, effect: Effect): string {
  return effect.says === undefined ? sentence(difference) : `${sentence(difference)}: ${effect.says}`;
}

function trafficChanges(before: readonly TrafficConfig[], after: readonly TrafficConfig[]): string[] {
  const { gone, added } = trafficDifferences(before, after);
  return [
    ...gone.map(
      (entry) =>
        `traffic: ${trafficName(entry)} is given up${entry.type === 'proxy' ? ', and its connections end' : ''}`,
    ),
    ...added.map((entry) => `traffic: ${trafficName(entry)} is set up`),
  ];
}

/** An entry of `traffic` in words: its type and what clients know of it. */
function trafficName(entry: TrafficConfig): string {
  const { type, ...rest } = entry;
  const values = Object.values(rest).filter((value) => typeof value === 'string');
  const places = Object.values(rest).flatMap((value: unknown) => {
    const isPlace = typeof value === 'object' && value !== null && 'host' in value && 'port' in value;
    return isPlace ? [`${String(value.host)}:${String(value.port)}`] : [];
  });
  return [type, ...places, ...values].join(' ');
}
