/** Durations and sizes rounded for people; `units.ts` has the exact ones that can be parsed again. */

const DURATION_UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

const SIZE_UNITS = ['KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `850ms`, `4.2s`, `31s`, `12m 5s`, `3h 12m`, `9d 4h`: the two largest units at most. */
export function roundDuration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)}ms`;
  if (milliseconds < 9_950) return `${(milliseconds / 1_000).toFixed(1)}s`;
  const rounded = Math.round(milliseconds / 1_000) * 1_000;
  const first = DURATION_UNITS.findIndex(([, unitMs]) => rounded >= unitMs);
  const [name, unitMs] = DURATION_UNITS[first] ?? DURATION_UNITS[DURATION_UNITS.length - 1] ?? ['s', 1_000];
  const next = DURATION_UNITS[first + 1];
  const whole = Math.floor(rounded / unitMs);
  const rest = next === undefined ? 0 : Math.floor((rounded - whole * unitMs) / next[1]);
  return next === undefined || rest === 0 ? `${whole}${name}` : `${whole}${name} ${rest}${next[0]}`;
}

/** `0 B`, `900 B`, `1.5 MiB`, `120 GiB`: three digits at most. */
export function roundSize(bytes: number): string {
  if (bytes < 1_000) return `${Math.round(bytes)} B`;
  let amount = bytes / 1_024;
  let unit = 0;
  while (amount >= 999.5 && unit < SIZE_UNITS.length - 1) {
    amount /= 1_024;
    unit++;
  }
  return `${amount < 9.95 ? amount.toFixed(1) : Math.round(amount)} ${SIZE_UNITS[unit] ?? ''}`;
}
