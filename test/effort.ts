/**
 * How thorough the tests with random inputs are, in one number: `HSCTL_TEST_EFFORT` is the part of the full number of
 * inputs that each of them tries. `scripts/test`, and so CI, asks for all (1) unless told otherwise; a file that is run by itself
 * tries a twentieth.
 */
const EFFORT = Number(process.env['HSCTL_TEST_EFFORT'] ?? 0.05);

/** How many random inputs a test tries, of `full` in CI. */
export function tries(full: number): number {
  return Math.max(1, Math.ceil(full * EFFORT));
}
