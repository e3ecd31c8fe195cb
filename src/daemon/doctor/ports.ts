import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { canonicalHost, formatEndpoint, isLoopback, isWildcard } from '../../kit/address.ts';
import { critical, fine, warning, type Look } from './finding.ts';

/** Endpoints on which a role listens: on this machine, and free or held by hsctl. Nothing is opened for it. */

export interface Listening {
  readonly host: string;
  readonly port: number;
}

/** The addresses of this machine, in one form each. */
export function ownAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return new Set(all.map(({ address }) => canonicalHost(address)));
}

export function lookAtPort(endpoint: Listening, own: ReadonlySet<string>, proc = '/proc'): Look {
  const check = `port ${formatEndpoint(endpoint)}`;
  const host = canonicalHost(endpoint.host);
  const isAddress = /^[\d.]+$|:/.test(host);
  if (isAddress && !isWildcard(host) && !isLoopback(host) && !own.has(host)) {
    return critical(
      check,
      `${host} is no address of this machine`,
      'run this role where the address is, or mend the file',
    );
  }
  const inode = listeners(proc).find((each) => each.port === endpoint.port && overlaps(each.host, host))?.inode;
  if (inode === undefined) return fine(check, 'free');
  const holder = holderOf(inode, proc);
  if (holder === null) {
    return warning(check, 'taken, by whom only root can see', 'run hsctl doctor as root');
  }
  if (/\bhsctl\b/.test(holder.command)) return fine(check, `held by hsctl (process ${holder.pid})`);
  const name = holder.command.split(' ')[0] ?? '';
  return critical(check, `taken by ${name} (process ${holder.pid})`, 'stop it, or give the node another port');
}

interface Listener {
  /** Null: all addresses. */
  readonly host: string | null;
  readonly port: number;
  readonly inode: string;
}

const LISTEN = '0A';

function listeners(proc: string): readonly Listener[] {
  return ['tcp', 'tcp6'].flatMap((table) => {
    const lines = readText(`${proc}/net/${table}`).split('\n').slice(1);
    return lines.flatMap((line): Listener[] => {
      const fields = line.trim().split(/\s+/);
      const [address = '', port = ''] = (fields[1] ?? '').split(':');
      if (fields[3] !== LISTEN) return [];
      return [{ host: addressOf(address), port: Number.parseInt(port, 16), inode: fields[9] ?? '' }];
    });
  });
}

/** The kernel writes addresses as words of four bytes in the order of the machine. */
function addressOf(hex: string): string | null {
  if (/^0+$/.test(hex)) return null;
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => word.match(/../g)?.toReversed() ?? []);
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  return canonicalHost(bytes.join('').replaceAll(/(.{4})(?!$)/g, '$1:'));
}

function overlaps(held: string | null, wanted: string): boolean {
  const host = wanted === 'localhost' ? '127.0.0.1' : wanted;
  return held === null || isWildcard(host) || held === host;
}

function holderOf(inode: string, proc: string): { readonly pid: string; readonly command: string } | null {
  const wanted = `socket:[${inode}]`;
  for (const pid of listed(proc).filter((name) => /^\d+$/.test(name))) {
    const folder = `${proc}/${pid}/fd`;
    if (listed(folder).some((fd) => linkOf(`${folder}/${fd}`) === wanted)) {
      return { pid, command: readText(`${proc}/${pid}/cmdline`).replaceAll('\0', ' ').trim() };
    }
  }
  return null;
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
