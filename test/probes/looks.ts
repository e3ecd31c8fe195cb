import { PROBE_KINDS, type ProbeOptions, type ProbeType } from '../../src/config/probe-kinds.ts';
import type { ProbeConfig } from '../../src/config/config.ts';
import { systemScheduler } from '../../src/kit/clock.ts';
import { systemRandom } from '../../src/kit/random.ts';
import { makeProbe } from '../../src/probes/make-probe.ts';
import type { Probe, ProbeDeps, ProbeResult, ProbeTarget } from '../../src/probes/probe.ts';

const TIMING = { intervalMs: 10_000, fastIntervalMs: 10_000, timeoutMs: 5000, fall: 1, rise: 1, from: 'both' } as const;

/** A signal that nobody aborts. */
export const never = new AbortController().signal;

/** The configuration of a probe, with the defaults of its kind. */
export function configOf<Type extends ProbeType>(
  type: Type,
  options: Partial<ProbeOptions<Type>> & { readonly timeoutMs?: number } = {},
): ProbeConfig {
  return { ...TIMING, type, ...PROBE_KINDS[type].defaults, ...options } as unknown as ProbeConfig;
}

export function probeOf<Type extends ProbeType>(
  type: Type,
  options: Partial<ProbeOptions<Type>> & { readonly timeoutMs?: number } = {},
  deps: Partial<ProbeDeps> = {},
): Probe {
  return makeProbe(configOf(type, options), { scheduler: systemScheduler, random: systemRandom, ...deps });
}

/** Looks once. */
export async function lookAt<Type extends ProbeType>(
  target: ProbeTarget,
  type: Type,
  options: Partial<ProbeOptions<Type>> & { readonly timeoutMs?: number } = {},
  deps: Partial<ProbeDeps> = {},
): Promise<ProbeResult> {
  const probe = probeOf(type, options, deps);
  const result = await probe.look(target, never);
  await probe.close?.();
  return result;
}
