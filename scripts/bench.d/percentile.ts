/** The value that `fraction` of all do not exceed (nearest rank), rounded to a tenth; null of none. */
export function percentile(values: readonly number[], fraction: number): number | null {
  const sorted = values.toSorted((one, other) => one - other);
  const value = sorted[Math.max(0, Math.ceil(sorted.length * fraction) - 1)];
  return value === undefined ? null : Math.round(value * 10) / 10;
}
