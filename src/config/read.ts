import type { z } from 'zod';
import { checkCluster } from './check-cluster.ts';
import { checkGroup } from './check-group.ts';
import { checkProbes } from './check-probes.ts';
import { checkFencing } from './check-fencing.ts';
import { checkTiming } from './check-timing.ts';
import { checkTraffic } from './check-traffic.ts';
import type { Config, GroupConfig } from './config.ts';
import { isSection } from './fields.ts';
import type { Finding } from './finding.ts';
import { byPlace, formatPath, quote, type FilePath, type Problem } from './problem.ts';
import { resolveCluster, resolveGroup } from './resolve.ts';
import { clusterSchema, groupSchema, type ClusterFile } from './schema.ts';
import { Source, valueAt } from './source.ts';

export interface Reading {
  /** null if there are errors. Frozen all through. */
  readonly config: Config | null;
  /** In the order of the file. */
  readonly errors: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Stands for the head of a file that is wrong there, so that the groups are compared with each other all the same. */
const UNKNOWN_CLUSTER: ClusterFile = { cluster: 'unknown', tls: { dir: '/unknown' }, groups: {} };

/** So many groups are checked sooner as the schemas are. */
const GROUPS_WITHOUT_PROGRAM = 10;

/** Reads the text of a configuration file and finds all that is wrong with it, in one go. */
export function readConfig(text: string): Reading {
  const source = new Source(text);
  const errors = [...source.problems];
  const warnings: Problem[] = [];
  if (source.value === null)
    errors.push(source.problemAt([], 'write a cluster, as in the manual', 'the file is empty'));
  if (source.value === null || source.value === undefined) return { config: null, errors, warnings };

  // Zod writes a program for each schema, which pays with many groups only.
  const entries = groupEntries(source.value);
  const how = { jitless: entries.length <= GROUPS_WITHOUT_PROGRAM };
  const cluster = clusterSchema.safeParse(source.value, how);
  errors.push(...problemsOf(source, cluster.error, []));
  const groups: GroupConfig[] = [];
  for (const [name, value] of entries) {
    const group = groupSchema.safeParse(value, how);
    errors.push(...problemsOf(source, group.error, ['groups', name]));
    if (group.success) groups.push(resolveGroup(name, group.data));
  }
  const findings = groups.flatMap((group) => [
    ...checkTiming(group),
    ...checkGroup(group),
    ...checkProbes(group),
    ...checkTraffic(group),
    ...checkFencing(group),
  ]);
  const config = resolveCluster(cluster.data ?? UNKNOWN_CLUSTER, groups);
  findings.push(...checkCluster(config));
  const said = new Set<string>();
  for (const finding of findings) {
    const problem = placed(source, finding);
    // What both nodes take from one line of the file is said once.
    const gist = `${problem.path} ${problem.remedy}`;
    if (!said.has(gist)) (finding.severity === 'error' ? errors : warnings).push(problem);
    said.add(gist);
  }
  return {
    config: errors.length === 0 ? deepFreeze(config) : null,
    errors: errors.toSorted(byPlace),
    warnings: warnings.toSorted(byPlace),
  };
}

function groupEntries(file: unknown): [string, unknown][] {
  const groups = valueAt(file, ['groups']);
  return isSection(groups) ? Object.entries(groups) : [];
}

/** The issues of a schema, whose messages are remedies, as problems in the file. */
function problemsOf(source: Source, error: z.ZodError | undefined, base: FilePath): Problem[] {
  return (error?.issues ?? []).flatMap((issue): Problem | Problem[] => {
    const path: FilePath = [...base, ...(issue.path as (string | number)[])];
    if (issue.code === 'unrecognized_keys') {
      const remedies = issue.message.split('\n');
      return issue.keys.map((key, index) => ({
        path: formatPath([...path, key]),
        ...source.locate([...path, key], 'key'),
        found: `unknown key ${quote(key)}`,
        remedy: remedies[index] ?? 'remove it',
      }));
    }
    if (issue.code === 'invalid_key') {
      const remedy = issue.issues[0]?.message ?? issue.message;
      const key = String(path.at(-1));
      return { path: formatPath(path), ...source.locate(path, 'key'), found: `found the name ${quote(key)}`, remedy };
    }
    return source.problemAt(path, issue.message);
  });
}

function placed(source: Source, finding: Finding): Problem {
  const path = finding.paths.find((each) => valueAt(source.value, each) !== undefined) ?? finding.paths[0];
  return source.problemAt(path, finding.remedy, finding.found);
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const each of Object.values(value)) deepFreeze(each);
  }
  return value;
}
