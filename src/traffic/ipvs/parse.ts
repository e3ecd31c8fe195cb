/** Readers of what ipvsadm prints. Pure. */

import type { IpvsForwarding, IpvsServer, IpvsService } from './plan.ts';

const FORWARDING: Readonly<Record<string, IpvsForwarding>> = { '-m': 'nat', '-g': 'dr', '-i': 'tun' };

/**
 * `ipvsadm -Sn`: a line `-A SERVICE -s SCHEDULER [-p SECONDS] [-M MASK] [-o] [-b FLAGS] [--pe NAME]` for each service
 * and behind it a line `-a SERVICE -r SERVER -m|-g|-i -w WEIGHT [--tun-type ...]` for each of its servers.
 * Keyed by the service as written: `-t 10.0.0.100:9000`, `-u [2001:db8::1]:53`, `-f 7`, `-f 7 -6`.
 */
export function parseSaved(text: string): ReadonlyMap<string, IpvsService> {
  const services = new Map<string, { -readonly [Key in keyof IpvsService]: IpvsService[Key] }>();
  for (const line of text.split('\n')) {
    const words = line.trim().split(/\s+/);
    const [command = '', kind = '', name = ''] = words;
    if (command !== '-A' && command !== '-a') continue;
    const key = words[3] === '-6' ? `${kind} ${name} -6` : `${kind} ${name}`;
    if (command === '-A') {
      services.set(key, { ...serviceOf(words), servers: [] });
    } else {
      const service = services.get(key);
      if (service !== undefined) service.servers = [...service.servers, serverOf(words)];
    }
  }
  return services;
}

function serviceOf(words: readonly string[]): Omit<IpvsService, 'servers'> {
  const others = words.filter((word, index) => {
    const before = words[index - 1] ?? '';
    return ['-M', '-o', '-b', '--pe'].includes(word) || ['-M', '-b', '--pe'].includes(before);
  });
  return {
    scheduler: valueAfter(words, '-s') ?? '',
    persistenceS: Number(valueAfter(words, '-p') ?? 0),
    otherOptions: others.join(' '),
  };
}

function serverOf(words: readonly string[]): IpvsServer {
  return {
    server: valueAfter(words, '-r') ?? '',
    forwarding: FORWARDING[words.find((word) => word in FORWARDING) ?? ''] ?? 'dr',
    weight: Number(valueAfter(words, '-w') ?? 1),
  };
}

function valueAfter(words: readonly string[], option: string): string | undefined {
  const at = words.indexOf(option);
  return at === -1 ? undefined : words[at + 1];
}

/** `ipvsadm -Ln -t SERVICE --exact`: connections in state ESTABLISHED of each server. */
export function parseActiveConnections(text: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, server = '', active = ''] =
      /^\s*->\s+(\S+)\s+(?:Masq|Route|Tunnel|Local)\s+\d+\s+(\d+)\s+\d+/.exec(line) ?? [];
    if (server !== '') counts.set(server, Number(active));
  }
  return counts;
}
