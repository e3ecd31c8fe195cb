import { roundDuration } from '../../kit/amounts.ts';
import { PHASES, type GroupEvent } from '../../model/event.ts';
import { formatMoment } from './moment.ts';
import type { Paint, Style } from './paint.ts';

const STYLES: Readonly<Record<GroupEvent['kind'], Style>> = {
  decision: 'bold',
  operator: 'good',
  observation: 'plain',
  hook: 'dim',
  alarm: 'bad',
};

/** One event in one line (output of hooks may add lines, indented). */
export function renderEvent(event: GroupEvent, paint: Paint): string {
  const head = `${paint('dim', formatMoment(event.wallMs))}  ${event.group} ${event.epoch}  ${event.rule}`;
  const message = event.message.trimEnd().split('\n').join('\n    ');
  return `${head}  ${paint(STYLES[event.kind], message)}${phasesText(event)}`;
}

/** The time of each phase of a change of master, and their sum: `[detect 3.2ms + fence 0.4ms = 3.6ms]`. */
export function phasesText({ phasesMs }: GroupEvent): string {
  if (phasesMs === null) return '';
  const phases = PHASES.flatMap((phase) => {
    const durationMs = phasesMs[phase];
    return durationMs === undefined ? [] : [{ phase, durationMs }];
  });
  if (phases.length === 0) return '';
  const parts = phases.map(({ phase, durationMs }) => `${phase} ${fineDuration(durationMs)}`);
  const sum = phases.reduce((total, { durationMs }) => total + durationMs, 0);
  return `  [${parts.join(' + ')} = ${fineDuration(sum)}]`;
}

/** Phases are often shorter than a millisecond. */
function fineDuration(durationMs: number): string {
  return durationMs < 99.95 ? `${durationMs.toFixed(1)}ms` : roundDuration(durationMs);
}
