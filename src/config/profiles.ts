import type { Profile } from './config.ts';

/** The numbers that a profile stands for. Any of them may be given in the file instead. */
export interface ProfileNumbers {
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  readonly detectMs: number;
  readonly stallTimeoutMs: number;
  readonly holdDownMs: number;
  readonly switchoverTimeoutMs: number;
  readonly probe: { readonly intervalMs: number; readonly timeoutMs: number };
  readonly appHeartbeat: { readonly intervalMs: number; readonly misses: number };
  readonly hookTimeoutMs: number;
  readonly readyTimeoutMs: number;
  readonly catchUpRate: number;
}

const MEBIBYTE = 2 ** 20;

/**
 * `fast`: machines on one switch, a silent one replaced in a quarter of a second; traffic led by a director.
 * `balanced`: machines in one data centre; rides out stalls of up to half a second.
 * `wan`: machines far apart; rides out seconds of bad weather on the line.
 */
export const PROFILES: Readonly<Record<Profile, ProfileNumbers>> = {
  fast: {
    leaseMs: 180,
    heartbeatMs: 40,
    detectMs: 140,
    stallTimeoutMs: 500,
    holdDownMs: 10_000,
    switchoverTimeoutMs: 5000,
    probe: { intervalMs: 200, timeoutMs: 150 },
    appHeartbeat: { intervalMs: 50, misses: 4 },
    hookTimeoutMs: 5000,
    readyTimeoutMs: 10_000,
    catchUpRate: 100 * MEBIBYTE,
  },
  balanced: {
    leaseMs: 1000,
    heartbeatMs: 100,
    detectMs: 500,
    stallTimeoutMs: 2000,
    holdDownMs: 60_000,
    switchoverTimeoutMs: 10_000,
    probe: { intervalMs: 1000, timeoutMs: 500 },
    appHeartbeat: { intervalMs: 100, misses: 5 },
    hookTimeoutMs: 10_000,
    readyTimeoutMs: 30_000,
    catchUpRate: 100 * MEBIBYTE,
  },
  wan: {
    leaseMs: 10_000,
    heartbeatMs: 1000,
    detectMs: 5000,
    stallTimeoutMs: 15_000,
    holdDownMs: 300_000,
    switchoverTimeoutMs: 30_000,
    probe: { intervalMs: 5000, timeoutMs: 2000 },
    appHeartbeat: { intervalMs: 1000, misses: 5 },
    hookTimeoutMs: 30_000,
    readyTimeoutMs: 120_000,
    catchUpRate: 10 * MEBIBYTE,
  },
};
