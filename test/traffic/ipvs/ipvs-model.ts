import { fileURLToPath } from 'node:url';
import { parseSaved } from '../../../src/traffic/ipvs/parse.ts';
import type { IpvsForwarding, IpvsServer, IpvsService } from '../../../src/traffic/ipvs/plan.ts';

/** A program that stands for ipvsadm; see there. */
export const FAKE_IPVSADM = fileURLToPath(new URL('./fake-ipvsadm.ts', import.meta.url));

/**
 * The kernel's table of virtual services, as ipvsadm's commands change it, with ipvsadm's traps: `-e` without a flag
 * makes a server one of direct routing with weight 1, `-E` without `-s` makes the scheduler wlc.
 * The real thing runs in the VM tests.
 */
export class Ipvs {
  readonly services = new Map<string, IpvsService>();

  static parse(saved: string): Ipvs {
    const ipvs = new Ipvs();
    for (const [name, service] of parseSaved(saved)) ipvs.services.set(name, service);
    return ipvs;
  }

  /** As `ipvsadm -Sn` prints it. */
  save(): string {
    const flags = { nat: '-m', dr: '-g', tun: '-i' };
    return [...this.services]
      .flatMap(([name, { scheduler, persistenceS, otherOptions, servers }]) => [
        `-A ${name} -s ${scheduler}${persistenceS > 0 ? ` -p ${persistenceS}` : ''}${otherOptions && ` ${otherOptions}`}\n`,
        ...servers.map(
          ({ server, forwarding, weight }) => `-a ${name} -r ${server} ${flags[forwarding]} -w ${weight}\n`,
        ),
      ])
      .join('');
  }

  /** Servers with a weight above 0. */
  positive(name: string): readonly string[] {
    const servers = this.services.get(name)?.servers ?? [];
    return servers.filter(({ weight }) => weight > 0).map(({ server }) => server);
  }

  /** Server that a new connection goes to, by scheduler fo. */
  next(name: string): string | null {
    const servers = this.services.get(name)?.servers ?? [];
    const best = servers.reduce<IpvsServer | null>((so, one) => (one.weight > (so?.weight ?? 0) ? one : so), null);
    return best?.server ?? null;
  }

  /** @throws Error with ipvsadm's text. */
  execute(words: readonly string[]): void {
    const [command = '', kind = '', address = ''] = words;
    const name = `${kind} ${address}`;
    const value = (option: string): string | undefined => words[words.indexOf(option) + 1 || words.length];
    const service = this.services.get(name);
    if (command === '-A' || command === '-E') {
      if ((command === '-A') === (service !== undefined)) {
        throw new Error(service === undefined ? 'No such service' : 'Service already exists');
      }
      const options = { scheduler: value('-s') ?? 'wlc', persistenceS: Number(value('-p') ?? 0), otherOptions: '' };
      this.services.set(name, { ...options, servers: service?.servers ?? [] });
      return;
    }
    if (service === undefined) throw new Error('Service not defined');
    if (command === '-D') {
      this.services.delete(name);
      return;
    }
    const server = value('-r') ?? '';
    const exists = service.servers.some((one) => one.server === server);
    if (command === '-a' && exists) throw new Error('Destination already exists');
    if (command !== '-a' && !exists) throw new Error('No such destination');
    const forwarding: IpvsForwarding = words.includes('-m') ? 'nat' : words.includes('-i') ? 'tun' : 'dr';
    const made: IpvsServer = { server, forwarding, weight: Number(value('-w') ?? 1) };
    this.services.set(name, { ...service, servers: changed(service.servers, command, made) });
  }
}

function changed(servers: readonly IpvsServer[], command: string, made: IpvsServer): readonly IpvsServer[] {
  switch (command) {
    case '-a':
      return [...servers, made];
    case '-e':
      return servers.map((one) => (one.server === made.server ? made : one));
    case '-d':
      return servers.filter((one) => one.server !== made.server);
    default:
      throw new Error(`unknown command ${command}`);
  }
}
