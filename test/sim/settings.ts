import type { GroupConfig } from '../../src/config/config.ts';
import { readConfig } from '../../src/config/read.ts';
import type { SeededRandom } from './seeded-random.ts';

/** So many groups have a power switch for each machine. */
const FENCED = 0.25;

/** A random but plausible configuration, read and checked like one that an operator wrote. */
export function randomGroup(random: SeededRandom): GroupConfig {
  const text = randomConfig(random);
  const { config, errors } = readConfig(text);
  const group = config?.groups[0];
  if (group === undefined)
    throw new Error(`the simulator made a wrong configuration: ${JSON.stringify(errors)}\n${text}`);
  return group;
}

function randomConfig(random: SeededRandom): string {
  const profile = random.pick(['fast', 'fast', 'balanced', 'balanced', 'balanced', 'wan']);
  const traffic = random.pick([
    '{ type: vip, address: 10.0.0.100/32, interface: eth0 }',
    '{ type: vip, address: 10.0.0.100/32, interface: eth0 }',
    '{ type: proxy, listen: "10.0.0.10:9000" }',
    '{ type: ipvs, virtual: "10.0.0.100:9000" }',
  ]);
  const app = [
    'port: 9000',
    ...(random.chance(0.5) ? ['heartbeat: {}'] : []),
    ...(random.chance(0.5) ? ['probe: { type: tcp }'] : []),
    ...(random.chance(0.4) ? ['run: [/bin/app]', `restart: { times: ${random.int(3)}, within: 10s }`] : []),
  ];
  const failover = [
    `mode: ${random.chance(0.9) ? 'auto' : 'manual'}`,
    `onControllerLoss: ${random.chance(0.7) ? 'serve' : 'stop'}`,
    `holdDown: ${random.pick(['0ms', '0ms', '1s', '5s'])}`,
    `prefer: ${random.pick(['a', 'b'])}`,
  ];
  const replication = [
    `fsync: ${random.pick(['always', '100ms', '100ms', '500ms'])}`,
    `catchUpRate: ${random.pick(['unlimited', '1MiB/s', '100KiB/s'])}`,
  ];
  const fence = random.chance(FENCED) ? ', fence: [{ command: [/bin/fence] }]' : '';
  return `
cluster: sim
tls: { dir: /etc/hsctl/tls }
groups:
  world:
    profile: ${profile}
    nodes:
      a: { address: 10.0.0.11${fence} }
      b: { address: 10.0.0.12${fence} }
    app: { ${app.join(', ')} }
    traffic: [${traffic}]
    replication: { ${replication.join(', ')} }
    failover: { ${failover.join(', ')} }
`;
}
