import { createHash } from 'node:crypto';
import type { GroupConfig } from './config.ts';

/**
 * Fingerprint of all that is in force for a group: 16 hexadecimal digits, the same on every machine whose file
 * means the same, however it is written. Daemons compare theirs to notice files that differ.
 */
export function groupDigest(cluster: string, group: GroupConfig): string {
  return createHash('sha256').update(canonicalJson({ cluster, group })).digest('hex').slice(0, 16);
}

/** JSON with the keys of each object in order. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonicalJson(each)}`).join(',')}}`;
}
