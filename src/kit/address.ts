import { isIP } from 'node:net';

/** Host names, IP addresses and `host:port`, as text. */

export const ENDPOINT_HINT = 'write host:port, like 10.0.0.10:7400 or [::1]:7400';

const HOST_NAME =
  /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*(?=[^.]*[a-z])[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/** Whether `text` is an IP address or could be a host name. A name that ends in digits only is a mistyped address. */
export function isHost(text: string): boolean {
  return isIP(text) !== 0 || HOST_NAME.test(text);
}

/** Whether `host` stays on the machine. Of names, only `localhost` surely does. */
export function isLoopback(host: string): boolean {
  const canonical = canonicalHost(host);
  return canonical === 'localhost' || canonical === '::1' || (isIP(canonical) === 4 && canonical.startsWith('127.'));
}

/** Whether listening on `host` means all addresses of the machine. */
export function isWildcard(host: string): boolean {
  const canonical = canonicalHost(host);
  return canonical === '0.0.0.0' || canonical === '::';
}

/** One text for each host: lower case, IPv6 in its short form, IPv4 within IPv6 as IPv4. */
export function canonicalHost(host: string): string {
  const lower = host.toLowerCase();
  const [address = '', zone] = lower.split('%');
  if (isIP(address) !== 6) return lower;
  const short = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(short);
  if (mapped !== null) {
    const bits = Number.parseInt(mapped[1] ?? '', 16) * 65_536 + Number.parseInt(mapped[2] ?? '', 16);
    return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
  }
  return zone === undefined ? short : `${short}%${zone}`;
}

/** Host (without brackets) and port of `host:port` or `[v6]:port`; null if `text` is neither. */
export function parseEndpoint(text: string): { readonly host: string; readonly port: number } | null {
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(text);
  if (parts === null) return null;
  const [, bracketed, plain, digits] = parts;
  const host = bracketed ?? plain ?? '';
  const port = Number(digits);
  const hostIsGood = bracketed === undefined ? isHost(host) : isIP(host) === 6;
  return hostIsGood && port >= 1 && port <= 65_535 ? { host, port } : null;
}

/** The text that `parseEndpoint` reads. */
export function formatEndpoint({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
