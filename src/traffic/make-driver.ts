import type { GroupConfig, TrafficConfig } from '../config/config.ts';
import { backendsOf } from './backends.ts';
import type { DirectorDriver, TrafficDeps } from './deps.ts';
import { DnsDriver } from './dns/driver.ts';
import { HaproxyDriver } from './haproxy/driver.ts';
import { IpvsDriver } from './ipvs/driver.ts';
import { NftDriver } from './nft/driver.ts';
import { ProxyDriver } from './proxy/driver.ts';
import { ScriptDriver } from './script/driver.ts';

/** The entries that the controller runs; the agent runs the others. */
export type DirectorTraffic = Exclude<TrafficConfig, { readonly type: 'vip' }>;

/** A driver for one traffic entry of a group. Nothing is touched before the first `apply`. */
export function makeDriver(traffic: DirectorTraffic, group: GroupConfig, deps: TrafficDeps): DirectorDriver {
  switch (traffic.type) {
    case 'proxy':
      return new ProxyDriver(traffic.listen, traffic.holdMs, backendsOf(group, traffic.listen.port), deps);
    case 'ipvs':
      return new IpvsDriver(traffic, group.name, backendsOf(group, traffic.virtual.port), deps);
    case 'nft':
      return new NftDriver(traffic, group.name, backendsOf(group, traffic.virtual.port), deps);
    case 'haproxy':
      return new HaproxyDriver(traffic, group.name, backendsOf(group, 0), deps);
    case 'dns':
      return new DnsDriver(traffic, backendsOf(group, 0), deps);
    case 'script':
      return new ScriptDriver(traffic, group.name, backendsOf(group, 0), deps);
  }
}
