import { readFileSync } from 'node:fs';

const KIBIBYTES_IN_MEBIBYTE = 1024;

/** Memory that a process has at present (`VmRSS`) or had at most (`VmHWM`), in MiB. */
export function residentMb(pid: number, which: 'VmRSS' | 'VmHWM'): number {
  const [, kibibytes] =
    new RegExp(`^${which}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  if (kibibytes === undefined) throw new Error(`process ${pid} has no ${which}`);
  return Math.round(Number(kibibytes) / KIBIBYTES_IN_MEBIBYTE);
}
