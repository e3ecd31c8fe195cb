import type { GroupConfig, NodeConfig } from '../../config/config.ts';
import type { FenceOrder } from '../../controller/fencing.ts';
import type { FenceOutcome } from '../../controller/ports.ts';
import { HsctlError, messageOf } from '../../kit/errors.ts';
import type { run } from '../../kit/exec.ts';
import type { Logger } from '../../kit/logger.ts';

/**
 * Runs the fence commands of a node, one after the other, until one of them says by exit code 0 that the node is off. One
 * that ran out of its time may have done it or not, so that what comes of all is unknown unless a later one confirms it.
 */
export async function fenceByCommands(
  group: GroupConfig,
  node: NodeConfig,
  order: FenceOrder,
  parts: { readonly run: typeof run; readonly logger: Logger; readonly signal: AbortSignal },
): Promise<FenceOutcome> {
  const { logger, signal } = parts;
  const failures: string[] = [];
  let state: 'failed' | 'unknown' = 'failed';
  for (const { command, timeoutMs } of node.fence) {
    if (signal.aborted) break;
    const [program = ''] = command;
    logger.warn(`fencing ${node.id} by ${program}`, { epoch: order.epoch });
    try {
      await parts.run(command, { timeoutMs, signal, cutOutput: true, env: environmentOf(group, node, order) });
      return { state: 'confirmed', detail: `fenced by ${program}` };
    } catch (error) {
      logger.error(`fencing ${node.id} failed: ${messageOf(error)}`);
      failures.push(messageOf(error));
      if (error instanceof HsctlError && error.code === 'timeout') state = 'unknown';
    }
  }
  return { state, detail: failures.join('; ') };
}

function environmentOf(group: GroupConfig, node: NodeConfig, order: FenceOrder): Readonly<Record<string, string>> {
  return {
    HSCTL_GROUP: group.name,
    HSCTL_NODE: node.id,
    HSCTL_ADDRESS: node.address,
    HSCTL_EPOCH: String(order.epoch),
  };
}
