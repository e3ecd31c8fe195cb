import type { ClusterOptions } from './cluster.ts';
import { buildCppFriendList, cppFriendList, typescriptFriendList } from './friend-list.ts';

export const VIP = '10.0.0.100';

/** Where clients find the service, and the entry of the configuration that makes it so. */
export const TRAFFIC = {
  vip: { service: `${VIP}:9000`, entry: { type: 'vip', address: `${VIP}/32`, interface: 'eth0' } },
  proxy: { service: '10.0.0.10:9000', entry: { type: 'proxy', listen: '10.0.0.10:9000' } },
} as const;

export type AppKind = 'typescript' | 'cpp';
export type TrafficKind = keyof typeof TRAFFIC;

/** The friend-list server in one of its languages, built if need be. */
export async function friendListIn(kind: AppKind): Promise<ClusterOptions['app']> {
  if (kind === 'typescript') return typescriptFriendList;
  await buildCppFriendList();
  return cppFriendList;
}
