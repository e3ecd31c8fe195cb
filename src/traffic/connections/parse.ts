import { ipv4Bytes, ipv6Bytes } from '../packed-address.ts';

/**
 * States in which work may be under way: established, being set up (the last packet of the handshake is still to come,
 * and no gate for new connections will stop it), and closed by the client alone, who may still wait for an answer.
 */
const OPEN_STATES = ['01 ', '03 ', '08 '];

/**
 * Counts open connections in the text of /proc/net/tcp or tcp6. A line is
 * `  0: 0100007F:2328 0200007F:C001 01 ...`: number, local and remote address:port in hexadecimal, state. Pure.
 */
export function countOpen(table: string, port: number, except: readonly string[] = []): number {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  let count = 0;
  let at = table.indexOf(wanted);
  while (at !== -1) {
    const remoteStart = at + wanted.length;
    const remoteEnd = table.indexOf(' ', remoteStart);
    // The same text may be the remote port: then a state follows, not another address.
    const isLocal = remoteEnd !== -1 && table.slice(remoteStart, remoteEnd).includes(':');
    const isExcepted = except.some((address) => table.startsWith(`: ${address}`, at - address.length - 2));
    if (isLocal && !isExcepted && OPEN_STATES.includes(table.slice(remoteEnd + 1, remoteEnd + 4))) count += 1;
    at = table.indexOf(wanted, remoteStart);
  }
  return count;
}

/** How the kernel writes an address in these tables, on machines whose words begin with the lowest byte; IPv4 also as within IPv6. */
export function procAddresses(address: string): readonly string[] {
  const isV6 = address.includes(':');
  const bytes = isV6 ? ipv6Bytes(address) : ipv4Bytes(address);
  const words = Array.from({ length: bytes.length / 4 }, (_, index) =>
    bytes.slice(4 * index, 4 * index + 4).toReversed(),
  );
  const text = words
    .flat()
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();
  return isV6 ? [text] : [text, `0000000000000000FFFF0000${text}`];
}
