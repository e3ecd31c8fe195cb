/**
 * Milliseconds of the machine's monotonic clock: the same scale in every process of the machine, so that a fault
 * set by the rig and an answer seen by a client can be subtracted.
 */
export function machineMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}
