import { z } from 'zod';
import { duration } from './amount-fields.ts';
import type { ProbeConfig, ProbeSet } from './config.ts';
import { choice, count, section, unknownType } from './fields.ts';
import { PROBE_KINDS, type ProbeKind, type ProbeType } from './probe-kinds.ts';
import type { ProfileNumbers } from './profiles.ts';

/** The section `probe` of the file, made of the table of kinds: its schema, what it means, and how it is written. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Of one node; more are a mistake. */
const PROBES_LIMIT = 20;

/** Keys that every kind has. */
export const COMMON_KEYS = {
  interval: duration(20, HOUR).optional().describe('From the start of one probe to that of the next; default: profile'),
  fastInterval: duration(20, HOUR)
    .optional()
    .describe('The same while results speak against the verdict, or there is none yet; default: interval'),
  timeout: duration(10, 5 * MINUTE)
    .optional()
    .describe('After this a probe has failed, at most interval; default: profile'),
  fall: count(1, 100).optional().describe('Failures in a row after which the app counts as down; default 3'),
  rise: count(1, 100).optional().describe('Successes in a row after which it counts as up again; default 2'),
  from: choice(['both', 'agent', 'controller'])
    .optional()
    .describe('Who probes: the agent on the node, the controller, or both; default both, for file agent'),
};

interface OneProbeFile extends z.output<z.ZodObject<typeof COMMON_KEYS>> {
  readonly type: ProbeType;
  readonly [key: string]: unknown;
}

interface SetFile {
  readonly type: ProbeSet['need'];
  readonly of: readonly OneProbeFile[];
}

/** One probe of the file, or several. */
export type ProbeFile = OneProbeFile | SetFile;

function sectionOf([type, { about, keys, defaults }]: [string, ProbeKind]) {
  const own = Object.entries(keys).map(([key, field]) => [key, key in defaults ? field.optional() : field] as const);
  return section({ type: z.literal(type).describe(about), ...Object.fromEntries(own), ...COMMON_KEYS });
}

const [firstKind, ...otherKinds] = Object.entries<ProbeKind>(PROBE_KINDS).map(sectionOf);

export function probeSection(): z.ZodType<ProbeFile> {
  const types = Object.keys(PROBE_KINDS);
  if (firstKind === undefined) throw new Error('no kind of probe');
  const one = z.discriminatedUnion('type', [firstKind, ...otherKinds], unknownType(types));
  const several = 'write a list of probes, like [{ type: tcp }, { type: http, path: /health }]';
  const of = z.array(one, several).min(1, several).max(PROBES_LIMIT, `write at most ${PROBES_LIMIT} probes`);
  const probe = z.discriminatedUnion(
    'type',
    [
      firstKind,
      ...otherKinds,
      section({ type: z.literal('all').describe('Every one of these must be good'), of: of.describe('The probes') }),
      section({ type: z.literal('any').describe('One of these must be good'), of: of.describe('The probes') }),
    ],
    unknownType([...types, 'all', 'any']),
  );
  // The table loses its types on the way through the union; `OneProbeFile` says what is left of them.
  return probe as unknown as z.ZodType<ProbeFile>;
}

/** The probes that the section means. */
export function resolveProbes(file: ProbeFile, numbers: ProfileNumbers): ProbeSet {
  if (isSet(file)) return { need: file.type, of: file.of.map((each) => resolveProbe(each, numbers)) };
  return { need: 'all', of: [resolveProbe(file, numbers)] };
}

function isSet(file: ProbeFile): file is SetFile {
  return file.type === 'all' || file.type === 'any';
}

function resolveProbe(file: OneProbeFile, numbers: ProfileNumbers): ProbeConfig {
  const { type, interval, fastInterval, timeout, fall, rise, ...own } = file;
  const intervalMs = interval ?? numbers.probe.intervalMs;
  const timing = {
    intervalMs,
    fastIntervalMs: fastInterval ?? intervalMs,
    timeoutMs: timeout ?? numbers.probe.timeoutMs,
    fall: fall ?? 3,
    rise: rise ?? 2,
  };
  return { type, ...timing, from: 'both', ...PROBE_KINDS[type].defaults, ...own } as unknown as ProbeConfig;
}

/** The section that means these probes, every value written out. */
export function probeFileOf({ need, of }: ProbeSet): ProbeFile {
  const probes = of.map(oneFileOf);
  const [only] = probes;
  return probes.length === 1 && only !== undefined ? only : { type: need, of: probes };
}

function oneFileOf(probe: ProbeConfig): OneProbeFile {
  const { type, intervalMs, fastIntervalMs, timeoutMs, fall, rise, ...own } = probe;
  const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== null));
  return { type, ...given, interval: intervalMs, fastInterval: fastIntervalMs, timeout: timeoutMs, fall, rise };
}
