import type { Config, GroupConfig, NodeConfig } from '../../config/config.ts';
import { canonicalHost, isLoopback } from '../../kit/address.ts';
import type { Scheduler } from '../../kit/clock.ts';
import { HsctlError } from '../../kit/errors.ts';
import { run } from '../../kit/exec.ts';
import type { DoctorFinding } from '../../model/doctor-answer.ts';
import { lookAtCertificates } from './certificates.ts';
import { lookAtClock } from './clock.ts';
import { lookAtDisk } from './disk.ts';
import type { Look } from './finding.ts';
import { lookAtPort, ownAddresses } from './ports.ts';
import { lookAtCapabilities, lookAtPrograms, type Capability } from './programs.ts';
import { lookAtReach } from './reach.ts';
import { lookAtDirector, lookAtNode } from './traffic.ts';

/** What a machine is for. */
export type MachineRole =
  | { readonly kind: 'controller' }
  | { readonly kind: 'agent'; readonly group: GroupConfig; readonly node: NodeConfig };

/**
 * The roles that are meant: `kind` and `node` narrow them down. Without either, those whose addresses are on this
 * machine, or the controller if none is.
 * @throws HsctlError('usage') if the configuration has no such node
 */
export function rolesFor(config: Config, kind: string | undefined, node: string | undefined): readonly MachineRole[] {
  const agents = config.groups.flatMap((group) =>
    group.nodes.map((each): MachineRole & { kind: 'agent' } => ({ kind: 'agent', group, node: each })),
  );
  const controller: MachineRole = { kind: 'controller' };
  if (kind === 'controller') return [controller];
  if (node !== undefined) {
    const named = agents.filter((each) => each.node.id === node);
    if (named.length > 0) return named;
    const names = [...new Set(agents.map((each) => each.node.id))].join(', ');
    throw new HsctlError('usage', `the cluster has no node ${node}`, `its nodes are: ${names}`);
  }
  const own = ownAddresses();
  const here = agents.filter((each) => isLoopback(each.node.address) || own.has(canonicalHost(each.node.address)));
  if (kind === 'agent') {
    if (here.length > 0) return here;
    throw new HsctlError(
      'usage',
      'no node of the configuration has an address of this machine',
      'name one with --node',
    );
  }
  const listensHere = isHere(config.controller.listen?.host ?? null, own);
  return here.length === 0 || listensHere ? [controller, ...here] : here;
}

function isHere(host: string | null, own: ReadonlySet<string>): boolean {
  return host !== null && (isLoopback(host) || own.has(canonicalHost(host)));
}

/** Looks at this machine for each of the roles; changes nothing. */
export async function examine(
  config: Config,
  roles: readonly MachineRole[],
  scheduler: Scheduler,
): Promise<readonly DoctorFinding[]> {
  const named = (role: string, looks: readonly Look[]): DoctorFinding[] => looks.map((look) => ({ role, ...look }));
  const clock = await lookAtClock(scheduler, run);
  const findings = await Promise.all(
    roles.map(async (role) =>
      role.kind === 'controller'
        ? named('controller', await examineController(config, scheduler))
        : named(`agent ${role.group.name}:${role.node.id}`, await examineAgent(config, role, scheduler)),
    ),
  );
  return [...named('machine', clock), ...findings.flat()];
}

const PRIVILEGED_PORTS = 1024;

async function examineController(config: Config, scheduler: Scheduler): Promise<readonly Look[]> {
  const { listen, state } = config.controller;
  const own = ownAddresses();
  const proxies = config.groups.flatMap(({ traffic }) =>
    traffic.flatMap((each) => (each.type === 'proxy' ? [each.listen] : [])),
  );
  const endpoints = [...(listen === null ? [] : [listen]), ...proxies];
  const usesKernel = config.groups.some(({ traffic }) => traffic.some(({ type }) => type === 'ipvs' || type === 'nft'));
  const needed: Capability[] = [
    ...(usesKernel ? (['CAP_NET_ADMIN'] as const) : []),
    ...(endpoints.some(({ port }) => port < PRIVILEGED_PORTS) ? (['CAP_NET_BIND_SERVICE'] as const) : []),
  ];
  const programs = config.groups.flatMap((group) => [
    ...group.traffic.flatMap((each) =>
      each.type === 'script' ? [{ what: `groups.${group.name}.traffic`, command: each.command }] : [],
    ),
    ...group.nodes.flatMap(({ id, fence }) =>
      fence.map(({ command }) => ({ what: `groups.${group.name}.nodes.${id}.fence`, command })),
    ),
    ...probePrograms(group, 'controller'),
  ]);
  const reached = config.groups.flatMap((group) =>
    group.nodes.map((node) =>
      lookAtReach(
        `the agent of ${group.name}:${node.id}`,
        { host: node.address, port: node.control },
        group.failover.heartbeatMs,
        scheduler,
      ),
    ),
  );
  return [
    ...lookAtCapabilities(needed),
    ...certificates(config, { role: 'controller', cluster: config.cluster }, 'controller', scheduler),
    ...endpoints.map((endpoint) => lookAtPort(endpoint, own)),
    ...lookAtDisk(state, 'every decision on record', scheduler),
    ...lookAtPrograms(programs),
    ...(await Promise.all(config.groups.map((group) => lookAtDirector(group, scheduler)))).flat(),
    ...(await Promise.all(reached)),
  ];
}

async function examineAgent(
  config: Config,
  { group, node }: { readonly group: GroupConfig; readonly node: NodeConfig },
  scheduler: Scheduler,
): Promise<readonly Look[]> {
  const own = ownAddresses();
  const hasVip = group.traffic.some(({ type }) => type === 'vip');
  const { run: app, promote, demote } = group.app;
  const at = `groups.${group.name}.app`;
  const programs = Object.entries({ run: app, promote, demote }).flatMap(([key, command]) =>
    command === null ? [] : [{ what: `${at}.${key}`, command }],
  );
  const peer = group.nodes.find(({ id }) => id !== node.id);
  const endpoints = [
    { host: node.address, port: node.control },
    { host: node.address, port: node.replication },
    ...(node.listen === null ? [] : [node.listen]),
  ];
  return [
    ...lookAtCapabilities(hasVip ? ['CAP_NET_ADMIN', 'CAP_NET_RAW'] : []),
    ...certificates(config, { role: 'node', cluster: config.cluster, name: node.id }, node.id, scheduler),
    ...endpoints.map((endpoint) => lookAtPort(endpoint, own)),
    ...lookAtDisk(node.store, 'what only this node holds', scheduler),
    ...lookAtPrograms([...programs, ...probePrograms(group, 'agent')]),
    ...(await lookAtNode(group, node, scheduler)),
    ...(peer === undefined
      ? []
      : [
          await lookAtReach(
            `the other agent, ${group.name}:${peer.id}`,
            { host: peer.address, port: peer.replication },
            group.failover.heartbeatMs,
            scheduler,
          ),
        ]),
  ];
}

function certificates(
  config: Config,
  identity: Parameters<typeof lookAtCertificates>[1],
  name: string,
  scheduler: Scheduler,
): readonly Look[] {
  return config.tls === null ? [] : lookAtCertificates(config.tls.dir, identity, name, scheduler);
}

/** Programs of probes by this side. */
function probePrograms(group: GroupConfig, side: 'agent' | 'controller') {
  return (group.app.probe?.of ?? []).flatMap((probe) =>
    probe.type === 'exec' && (probe.from === 'both' || probe.from === side)
      ? [{ what: `groups.${group.name}.app.probe`, command: probe.command }]
      : [],
  );
}
