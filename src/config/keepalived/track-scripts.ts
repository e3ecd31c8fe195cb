import { formatDuration } from '../../kit/units.ts';
import { commandOf } from './commands.ts';
import { milliseconds, wholeNumber, type Machine } from './machine.ts';
import type { Remarks } from './remarks.ts';
import { argument, last, listed, type Statement } from './statement.ts';

/** A section of the new file, in its own words. */
export type Section = Readonly<Record<string, unknown>>;

const SECOND = 1000;

/** The scripts that these blocks track, as probes of the agent on the node itself. */
export function trackedProbes(
  machine: Machine,
  blocks: readonly (readonly Statement[])[],
  remarks: Remarks,
): readonly Section[] {
  const probes: Section[] = [];
  const seen = new Set<string>();
  for (const use of blocks.flatMap((block) => listed(block, 'track_script'))) {
    const script = machine.scripts.get(use.keyword);
    if (seen.has(use.keyword)) continue;
    seen.add(use.keyword);
    const text = script?.block === null ? '' : scriptText(script?.block ?? []);
    if (script === undefined || text === '') {
      remarks.add('omitted', use.place, `track_script ${use.keyword}`, 'there is no such vrrp_script');
      continue;
    }
    const weight = use.args[0] === 'weight' ? use : last(script.block ?? [], 'weight');
    const points = Number(weight?.keyword === 'weight' ? weight.args[0] : weight?.args[1]);
    if (weight !== null && points !== 0) {
      remarks.add(
        'changed',
        weight.place,
        `weight of ${use.keyword}`,
        'a probe that fails takes the node out, whatever the priorities',
      );
    }
    probes.push(probeOf(script, text, remarks));
  }
  for (const { place, keyword } of blocks.flatMap((block) => listed(block, 'track_interface'))) {
    remarks.add(
      'omitted',
      place,
      `track_interface ${keyword}`,
      `the links of the agent notice a dead path; or add a probe: { type: exec, from: agent, command: [grep, -q, up, /sys/class/net/${keyword}/operstate] }`,
    );
  }
  return probes;
}

function scriptText(block: readonly Statement[]): string {
  return last(block, 'script')?.args.join(' ') ?? '';
}

function probeOf(script: Statement, text: string, remarks: Remarks): Section {
  const block = script.block ?? [];
  const intervalMs = milliseconds(argument(block, 'interval')) ?? SECOND;
  const timing = {
    ...times(intervalMs, milliseconds(argument(block, 'timeout')) ?? intervalMs, script, remarks),
    fall: wholeNumber(argument(block, 'fall')) ?? 1,
    rise: wholeNumber(argument(block, 'rise')) ?? 1,
  };
  const port = /^<\s*\/dev\/tcp\/[\w.:]+\/(\d+)$/.exec(text)?.[1];
  if (port !== undefined) return { type: 'tcp', port: Number(port), from: 'agent', ...timing };
  return { type: 'exec', command: commandOf(text), from: 'agent', ...timing };
}

const LEAST_INTERVAL_MS = 20;
const MOST_INTERVAL_MS = 3600 * SECOND;
const MOST_TIMEOUT_MS = 300 * SECOND;

/** Interval and time limit of a probe: with hsctl one probe ends before the next begins. */
export function times(intervalMs: number, timeoutMs: number, from: Statement, remarks: Remarks): Section {
  const interval = Math.min(Math.max(intervalMs, LEAST_INTERVAL_MS), MOST_INTERVAL_MS);
  const timeout = Math.min(Math.max(timeoutMs, LEAST_INTERVAL_MS), MOST_TIMEOUT_MS, interval);
  if (timeout < timeoutMs) {
    remarks.add(
      'changed',
      from.place,
      `time limit of ${formatDuration(timeoutMs)} in ${[from.keyword, ...from.args].join(' ')}`,
      `${formatDuration(timeout)}: a probe is over before the next begins`,
    );
  }
  return { interval: formatDuration(interval), timeout: formatDuration(timeout) };
}
