import type { z } from 'zod';
import { PROBE_KINDS, type ProbeKind } from '../../src/config/probe-kinds.ts';
import { COMMON_KEYS } from '../../src/config/probe-section.ts';

/** The sections of docs/probes.md whose tables are made from the code, with the keys of each. */
const TABLES = new Map<string, Readonly<Record<string, z.ZodType>>>([
  ['common', COMMON_KEYS],
  ...Object.entries<ProbeKind>(PROBE_KINDS).map(([type, { keys }]) => [type, keys] as const),
]);

/** The page with its tables made anew. @throws Error when the page has no place for one of them */
export function renderProbes(page: string): string {
  const missing = [...TABLES.keys()].filter((name) => !page.includes(`<!-- keys: ${name} -->`));
  if (missing.length > 0) throw new Error(`docs/probes.md has no table for ${missing.join(', ')}`);
  return page.replaceAll(/(<!-- keys: ([\w-]+) -->\n)(?:\|.*\n)*/g, (whole, mark: string, name: string) => {
    const keys = TABLES.get(name);
    return keys === undefined ? whole : `${mark}${tableOf(name, keys)}`;
  });
}

function tableOf(name: string, keys: Readonly<Record<string, z.ZodType>>): string {
  const defaults: Readonly<Record<string, unknown>> = kindOf(name)?.defaults ?? {};
  const rows = Object.entries(keys).map(([key, field]) => {
    const [meaning = '', fallback] = (field.description ?? '').split('; default');
    const required = name !== 'common' && !(key in defaults);
    const held = fallback?.replace(/^:? /, '').replaceAll('|', '\\|');
    return `| \`${key}\` | ${meaning.replaceAll('|', '\\|')} | ${required ? 'required' : (held ?? 'none')} |\n`;
  });
  return `| key | meaning | default |\n|---|---|---|\n${rows.join('')}`;
}

function kindOf(name: string): ProbeKind | undefined {
  return Object.entries<ProbeKind>(PROBE_KINDS).find(([type]) => type === name)?.[1];
}
