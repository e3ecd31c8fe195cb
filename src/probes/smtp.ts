import type { ProbeOptions } from '../config/probe-kinds.ts';
import type { Probe } from './probe.ts';
import { ProbeFailure, shown } from './reason.ts';
import { overTcp, type Wire } from './wire.ts';

/** Good if a mail server greets and accepts EHLO. It is told QUIT, so that its log shows no broken session. */
export function smtpProbe(options: ProbeOptions<'smtp'>): Probe {
  return {
    look: (target, signal) =>
      overTcp(options, target, signal, async (wire) => {
        await reply(wire, 'greeting', '220');
        wire.write(`EHLO ${options.helo}\r\n`);
        const [first = ''] = await reply(wire, 'answer to EHLO', '250');
        wire.write('QUIT\r\n');
        await reply(wire, 'answer to QUIT', '221');
        return { good: true, detail: `greets as ${shown(first.slice(4))}` };
      }),
  };
}

/** The lines of one reply. @throws ProbeFailure unless it has the code */
async function reply(wire: Wire, what: string, code: string): Promise<string[]> {
  const lines: string[] = [];
  for (;;) {
    const line = await wire.line(what);
    if (!/^[2-5]\d\d([ -]|$)/.test(line)) throw new ProbeFailure(`no SMTP: ${shown(line)}`);
    if (!line.startsWith(code)) throw new ProbeFailure(`${what}: ${shown(line)}`);
    lines.push(line);
    if (line[3] !== '-') return lines;
  }
}
