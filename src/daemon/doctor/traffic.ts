import type { GroupConfig, NodeConfig } from '../../config/config.ts';
import type { Scheduler } from '../../kit/clock.ts';
import { run, startProgram } from '../../kit/exec.ts';
import { silentLogger } from '../../kit/logger.ts';
import type { Finding, NodeTrafficDeps } from '../../traffic/deps.ts';
import { NodeGate } from '../../traffic/gate/node-gate.ts';
import { makeDriver } from '../../traffic/make-driver.ts';
import { checkArpSettings } from '../../traffic/vip/arp-settings.ts';
import { VipHolder } from '../../traffic/vip/holder.ts';
import { parseVirtualAddress } from '../../traffic/vip/plan.ts';
import { fine, warning, type Look } from './finding.ts';

/** What each traffic driver says of this machine: its tools, modules, settings and rights. */

const depsOf = (scheduler: Scheduler): NodeTrafficDeps => ({ scheduler, logger: silentLogger, run, startProgram });

/** The entries that the controller runs. */
export async function lookAtDirector(group: GroupConfig, scheduler: Scheduler): Promise<readonly Look[]> {
  const looks = group.traffic.map(async (traffic): Promise<readonly Look[]> => {
    if (traffic.type === 'vip') return [];
    const driver = makeDriver(traffic, group, depsOf(scheduler));
    const findings = await driver.check();
    await driver.close();
    return looksOf(`traffic of ${group.name}, ${driver.name}`, findings);
  });
  return (await Promise.all(looks)).flat();
}

/** What the agent does for traffic on its node. */
export async function lookAtNode(group: GroupConfig, node: NodeConfig, scheduler: Scheduler): Promise<readonly Look[]> {
  const deps = depsOf(scheduler);
  const looks: Look[] = [];
  for (const traffic of group.traffic) {
    if (traffic.type !== 'vip') continue;
    const holder = new VipHolder(
      parseVirtualAddress(traffic.address, traffic.interface, traffic),
      traffic.announce,
      deps,
    );
    looks.push(...looksOf(`vip ${traffic.address}`, await holder.check()));
  }
  if (looks.length > 0 && node.appPort !== null) {
    const gate = new NodeGate(group.name, node.id, node.appPort, deps);
    looks.push(...looksOf('gate of the node', await gate.check()));
  }
  if (group.traffic.some((traffic) => traffic.type === 'ipvs' && traffic.forwarding === 'dr')) {
    looks.push(...looksOf('direct routing', await checkArpSettings()));
  }
  return looks;
}

function looksOf(check: string, findings: readonly Finding[]): readonly Look[] {
  if (findings.length === 0) return [fine(check, 'nothing is in its way')];
  return findings.map(({ what, hint }) => warning(check, what, hint));
}
