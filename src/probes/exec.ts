import type { ProbeOptions } from '../config/probe-kinds.ts';
import { run } from '../kit/exec.ts';
import type { Probe, ProbeResult } from './probe.ts';
import { failed, printable } from './reason.ts';

const SHOWN_CHARACTERS = 200;

/** What the exit codes of a good check say beside that; others are bad. Null: this code is bad. */
const READINGS = {
  plain: (code: number): string | null => (code === 0 ? '' : null),
  // A weight of 0 takes a server out of work.
  keepalived: (code: number): string | null =>
    code === 1 || code === 2 ? null : code === 0 ? '' : `weight ${code - 2}`,
  nagios: (code: number): string | null => (code === 0 || code === 1 ? '' : null),
} as const;

/** Good if a program ends in time with a good exit code. It finds the target in `HSCTL_HOST` and `HSCTL_PORT`. */
export function execProbe(options: ProbeOptions<'exec'> & { readonly timeoutMs: number }): Probe {
  const { command, exitCodes, timeoutMs } = options;
  const read = READINGS[exitCodes];
  return {
    async look(target, signal) {
      if (signal.aborted) return failed(null, signal, null);
      const env = { HSCTL_HOST: target.host, HSCTL_PORT: target.port === null ? '' : String(target.port) };
      try {
        const { stdout, exitCode } = await run(command, {
          timeoutMs,
          env,
          signal,
          maxOutputBytes: 4096,
          cutOutput: true,
          acceptExit: (code) => read(code) !== null,
        });
        return resultOf(stdout, exitCode, options, read(exitCode) ?? '');
      } catch (thrown) {
        return failed(thrown, signal, null);
      }
    },
  };
}

function resultOf(stdout: string, code: number, { exitCodes }: ProbeOptions<'exec'>, meaning: string): ProbeResult {
  // What follows a bar are figures of a Nagios plugin, for machines.
  const [text = ''] = exitCodes === 'nagios' ? stdout.split('|', 1) : [stdout];
  const said = printable((text.trim().split('\n')[0] ?? '').slice(0, SHOWN_CHARACTERS));
  const detail = [said || `exit code ${code}`, ...(meaning === '' ? [] : [meaning])].join(', ');
  return { good: true, detail, ...(exitCodes === 'nagios' && code === 1 ? { warning: detail } : {}) };
}
