import { messageOf } from '../kit/errors.ts';
import { run } from '../kit/exec.ts';
import type { Probe } from './probe.ts';

const SHOWN_CHARACTERS = 200;

/** Good if a program ends with exit code 0 in time. It finds the target in `HSCTL_HOST` and `HSCTL_PORT`. */
export function execProbe(command: readonly string[], timeoutMs: number): Probe {
  return async (target, signal) => {
    const env = { HSCTL_HOST: target.host, HSCTL_PORT: target.port === null ? '' : String(target.port) };
    try {
      const { stdout } = await run(command, { timeoutMs, env, signal, maxOutputBytes: 4096, cutOutput: true });
      const firstLine = stdout.trim().split('\n')[0] ?? '';
      return { good: true, detail: firstLine === '' ? 'exit code 0' : firstLine.slice(0, SHOWN_CHARACTERS) };
    } catch (thrown) {
      return { good: false, detail: messageOf(signal.aborted ? signal.reason : thrown) };
    }
  };
}
