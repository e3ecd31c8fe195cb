import type { ProbeOptions } from '../config/probe-kinds.ts';
import { bytesOf } from '../config/probe-fields.ts';
import type { Probe, ProbeResult } from './probe.ts';
import { ProbeFailure, printable, shown } from './reason.ts';
import { overTcp } from './wire.ts';

const GOOD = new Set(['up', 'ready']);
const BAD = new Set(['down', 'failed', 'stopped', 'drain', 'maint']);

/**
 * Good unless an agent that speaks HAProxy's agent-check says down, failed, stopped, drain, maint or 0%: a pair has one
 * node that takes all work, so one that wants less has to give up all of it.
 */
export function agentCheckProbe(options: ProbeOptions<'agent-check'>): Probe {
  const send = options.send === null ? null : bytesOf(options.send);
  return {
    look: (target, signal) =>
      overTcp(options, target, signal, async (wire) => {
        if (send !== null) wire.write(send);
        return judge(await wire.line('answer'));
      }),
  };
}

function judge(line: string): ProbeResult {
  const [said = '', why = ''] = line.split('#', 2).map((part) => part.trim());
  const words = said.toLowerCase().split(/[\s,]+/);
  const known = words.every((word) => GOOD.has(word) || BAD.has(word) || /^(\d{1,3}%|maxconn:\d+)$/.test(word));
  if (!known) throw new ProbeFailure(`no answer of an agent-check: ${shown(line)}`);
  const good = !words.some((word) => BAD.has(word) || /^0+%$/.test(word));
  return { good, detail: why === '' ? words.join(' ') : `${words.join(' ')}: ${printable(why.slice(0, 200))}` };
}
