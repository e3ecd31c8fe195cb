import { lookup } from 'node:dns/promises';
import type { GroupConfig } from '../config/config.ts';
import { canonicalHost } from '../kit/address.ts';
import { HsctlError, messageOf } from '../kit/errors.ts';
import type { NodeId } from '../model/roles.ts';
import { familyOf } from './family.ts';

/** Where a node's app takes its clients. */
export interface Backend {
  readonly node: NodeId;
  readonly address: string;
  readonly port: number;
}

/** The nodes of a group as servers; a node without a port of its own is reached on the port that clients use. */
export function backendsOf(group: GroupConfig, clientPort: number): readonly Backend[] {
  return group.nodes.map(({ id, address, appPort }) => ({ node: id, address, port: appPort ?? clientPort }));
}

/**
 * The same with literal addresses, which the kernel's tools need, all of one family.
 * @throws HsctlError('failed') when a name cannot be resolved, ('config') when the families differ.
 */
export function resolveBackends(backends: readonly Backend[], family: 4 | 6): Promise<readonly Backend[]> {
  return Promise.all(
    backends.map(async (backend) => ({ ...backend, address: await resolveAddress(backend.address, family) })),
  );
}

/** A literal address of that family. @throws as `resolveBackends` */
export async function resolveAddress(host: string, family: 4 | 6): Promise<string> {
  const given = familyOf(host);
  if (given === family) return canonicalHost(host);
  if (given !== null) {
    throw new HsctlError(
      'config',
      `${host} is an IPv${given} address, but the clients' address is IPv${family}`,
      'use one address family for the virtual address and its nodes',
    );
  }
  try {
    return canonicalHost((await lookup(host, { family })).address);
  } catch (error) {
    throw new HsctlError(
      'failed',
      `${host}: no IPv${family} address found (${messageOf(error)})`,
      'give literal addresses in the configuration, so that traffic does not depend on name service',
      { cause: error },
    );
  }
}

/** @throws HsctlError('refused') when traffic is wanted for a node that the group does not have. */
export function assertKnown(backends: readonly Backend[], node: NodeId | null): void {
  if (node === null || backends.some((backend) => backend.node === node)) return;
  throw new HsctlError(
    'refused',
    `no node ${node} in this group, only ${backends.map((backend) => backend.node).join(' and ')}`,
    'check that the controller runs with the present configuration',
  );
}
