import { formatDuration, formatRate, formatSize } from '../kit/units.ts';
import type { Config, GroupConfig, ProbeSet, TrafficConfig } from './config.ts';

/** What two configurations of a group say differently. Pure. */
export interface Difference {
  /** Keys in the checked configuration, nodes by their names: `failover leaseMs`, `nodes a store`. */
  readonly path: readonly string[];
  /** The same as the file has it: `failover.lease`. */
  readonly key: string;
  /** The values, in the file's units. */
  readonly before: string;
  readonly after: string;
}

type Tree = Readonly<Record<string, unknown>>;

/** Every key with another value; traffic is told apart by `trafficDifferences`. */
export function groupDifferences(before: GroupConfig, after: GroupConfig): readonly Difference[] {
  return [...differences([], treeOf(before), treeOf(after))];
}

/** The same of what concerns all groups. */
export function clusterDifferences(before: Config, after: Config): readonly Difference[] {
  const head = (config: Config): Tree => {
    const { groups: _, ...rest } = config;
    return rest;
  };
  return [...differences([], head(before), head(after))];
}

/** Entries of `traffic` that are gone or new; one with a changed value is both. */
export function trafficDifferences(
  before: readonly TrafficConfig[],
  after: readonly TrafficConfig[],
): { readonly gone: readonly TrafficConfig[]; readonly added: readonly TrafficConfig[] } {
  const lacks = (list: readonly TrafficConfig[]) => (entry: TrafficConfig) => !list.some((each) => isSame(each, entry));
  return { gone: before.filter(lacks(after)), added: after.filter(lacks(before)) };
}

/** Whether two parts of a configuration say the same. */
export function isSame(one: unknown, other: unknown): boolean {
  return [...differences([], one, other)].length === 0;
}

/** `after` with the values that `before` has at these places; places that lead nowhere in `after` are left out. */
export function withFormer(
  before: GroupConfig,
  after: GroupConfig,
  paths: readonly (readonly string[])[],
): GroupConfig {
  const result = structuredClone(after);
  for (const path of paths) {
    const [last = '', ...above] = path.toReversed();
    const into = valueAt(result, above.toReversed());
    if (isTree(into)) Object.assign(into, { [last]: valueAt(before, path) });
  }
  return result;
}

/** Nodes are found by their names, everything else by its key. */
function valueAt(group: GroupConfig, path: readonly string[]): unknown {
  let value: unknown = group;
  for (const key of path) {
    if (Array.isArray(value)) value = value.find((each: unknown) => isTree(each) && each['id'] === key);
    else value = isTree(value) ? value[key] : undefined;
  }
  return value;
}

function treeOf(group: GroupConfig): Tree {
  const { nodes, traffic: _, app, ...rest } = group;
  const byName = Object.fromEntries(nodes.map((node) => [node.id, node]));
  return { ...rest, app: { ...app, probe: probeTree(app.probe) }, nodes: byName };
}

/** Probes under the keys of the file: one by itself, several by their places. */
function probeTree(probe: ProbeSet | null): unknown {
  const [only, ...others] = probe?.of ?? [];
  if (probe === null || only === undefined) return probe;
  if (others.length === 0) return only;
  return { type: probe.need, ...Object.fromEntries(probe.of.map((each, index) => [`of[${index}]`, each])) };
}

function* differences(path: readonly string[], before: unknown, after: unknown): Generator<Difference> {
  // Sections of another type have no keys in common.
  if (isTree(before) && isTree(after) && before['type'] === after['type']) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
      yield* differences([...path, key], before[key], after[key]);
    return;
  }
  const [one, other] = [valueText(path, before), valueText(path, after)];
  if (one !== other) yield { path, key: path.map(fileKey).join('.'), before: one, after: other };
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Keys that the file calls otherwise; beside these only units at the end are left out. */
const FILE_KEYS: Readonly<Record<string, string>> = { segmentBytes: 'segmentSize', appPort: 'port' };

/** Keys of times in milliseconds that have no unit at their end. */
const DURATIONS: readonly string[] = ['fsync', 'warnBefore', 'maxAge'];

function fileKey(key: string): string {
  return FILE_KEYS[key] ?? key.replace(/(Ms|S|Bytes)$/, '');
}

function valueText(path: readonly string[], value: unknown): string {
  const key = path.at(-1) ?? '';
  if (key === 'catchUpRate' && (value === null || typeof value === 'number')) return formatRate(value);
  if (value === null || value === undefined) return 'none';
  if (typeof value === 'number' && (key.endsWith('Ms') || DURATIONS.includes(key))) return formatDuration(value);
  if (typeof value === 'number' && key.endsWith('Bytes')) return formatSize(value);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `[${value.map((each: unknown) => valueText([], each)).join(', ')}]`;
  const entries = Object.entries(value).filter(([, inside]) => inside !== null);
  const texts = entries.map(([each, inside]) => `${fileKey(each)}: ${valueText([each], inside)}`);
  return `{ ${texts.join(', ')} }`;
}
