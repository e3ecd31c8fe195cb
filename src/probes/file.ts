import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ProbeOptions } from '../config/probe-kinds.ts';
import { formatDuration } from '../kit/units.ts';
import type { Probe, ProbeDeps, ProbeResult } from './probe.ts';
import { ProbeFailure, failed, shown } from './reason.ts';

const SEARCHED_BYTES = 64 * 1024;

/** Good if a file of this machine is there, was written lately and holds a text, as far as that is asked for. */
export function fileProbe(options: ProbeOptions<'file'>, { scheduler }: ProbeDeps): Probe {
  return {
    async look(_target, signal) {
      try {
        if (signal.aborted) return failed(null, signal, null);
        return await judge(options, scheduler.wallMs());
      } catch (thrown) {
        return failed(thrown, signal, null);
      }
    },
  };
}

async function judge({ path, contains, maxAge }: ProbeOptions<'file'>, wallMs: number): Promise<ProbeResult> {
  // Without waiting: a pipe that somebody left there would hold us for ever.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const stats = await file.stat();
  if (!stats.isFile()) throw new ProbeFailure('not a file');
  const ageMs = Math.max(0, wallMs - stats.mtimeMs);
  const age = `written ${formatDuration(ageMs < 1000 ? ageMs : Math.floor(ageMs / 1000) * 1000)} ago`;
  if (maxAge !== null && ageMs > maxAge) throw new ProbeFailure(`${age}, more than ${formatDuration(maxAge)}`);
  if (contains === null) return { good: true, detail: age };
  const { bytesRead, buffer } = await file.read(Buffer.alloc(SEARCHED_BYTES), 0, SEARCHED_BYTES, 0);
  if (buffer.subarray(0, bytesRead).includes(contains)) return { good: true, detail: `${age}, as expected` };
  throw new ProbeFailure(`no ${shown(contains)} within its first 64 KiB`);
}
