/** How many times longer than usual what is waited for may take: set where the machine is slow (test/vm/guest/start). */
export const PATIENCE = Number(process.env['HSCTL_TEST_PATIENCE'] ?? 1);
