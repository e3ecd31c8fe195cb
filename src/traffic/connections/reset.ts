import type { run } from '../../kit/exec.ts';
import { TOOL_TIMEOUT_MS } from '../deps.ts';

/**
 * Resets every TCP connection to a port of this machine: both ends are told at once. Needs CAP_NET_ADMIN, and a kernel with
 * CONFIG_INET_DIAG_DESTROY, without which they stay.
 * @throws HsctlError('failed') without `ss`
 */
export async function resetConnections(port: number, runProgram: typeof run): Promise<void> {
  await runProgram(['ss', '--kill', '-tnH', `sport = :${port}`], { timeoutMs: TOOL_TIMEOUT_MS, cutOutput: true });
}
