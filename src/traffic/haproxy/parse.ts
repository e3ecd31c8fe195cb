/** Readers of what HAProxy's runtime API prints. Pure. Columns are found by their names, as versions add some. */

import { HsctlError } from '../../kit/errors.ts';

/** Bits of `srv_admin_state` that an operator sets, and those that come from elsewhere and keep a server down. */
const FORCED_MAINT = 0x01;
const FORCED_DRAIN = 0x08;
const INHERITED = 0x02 | 0x10 | 0x20;
/** The configuration file has the server `disabled`. */
const CONFIGURED_MAINT = 0x04;
const STOPPED = 0;

export type ServerMode = 'ready' | 'drain' | 'maint';

export interface ServerActual {
  readonly mode: ServerMode;
  /** By its own checks: `down` takes no connections whatever its mode is. */
  readonly isDown: boolean;
  /** It follows another server, or the resolver, which hold it down. */
  readonly isInherited: boolean;
  readonly startsDisabled: boolean;
  readonly address: string;
  readonly port: number;
}

/** Servers by name, of `show servers state BACKEND`. @throws HsctlError('format') */
export function parseServers(text: string): ReadonlyMap<string, ServerActual> {
  const header = /^# (.+)$/m.exec(text)?.[1]?.split(' ');
  if (header === undefined) throw misread('show servers state', text);
  const servers = new Map<string, ServerActual>();
  for (const line of text.split('\n').filter((one) => /^\d+ /.test(one))) {
    const cells = line.split(' ');
    const cell = (name: string): string => cells[header.indexOf(name)] ?? '';
    const admin = Number(cell('srv_admin_state'));
    servers.set(cell('srv_name'), {
      mode: (admin & FORCED_MAINT) !== 0 ? 'maint' : (admin & FORCED_DRAIN) !== 0 ? 'drain' : 'ready',
      isDown: Number(cell('srv_op_state')) === STOPPED,
      isInherited: (admin & INHERITED) !== 0,
      startsDisabled: (admin & CONFIGURED_MAINT) !== 0,
      address: cell('srv_addr'),
      port: Number(cell('srv_port')),
    });
  }
  return servers;
}

/** Present connections (`scur`) by server, of `show stat`. @throws HsctlError('format') */
export function parseConnections(text: string): ReadonlyMap<string, number> {
  const [header = '', ...lines] = text.split('\n');
  if (!header.startsWith('# ')) throw misread('show stat', text);
  const columns = header.slice(2).split(',');
  const [nameAt, countAt] = [columns.indexOf('svname'), columns.indexOf('scur')];
  const rows = lines.filter((line) => line !== '').map((line) => line.split(','));
  return new Map(rows.map((cells) => [cells[nameAt] ?? '', Number(cells[countAt])]));
}

function misread(command: string, text: string): HsctlError {
  const [first = ''] = text.trim().split('\n');
  return new HsctlError(
    'format',
    `haproxy answers \`${command}\` with ${JSON.stringify(first.slice(0, 100))}`,
    'see the names in haproxy.cfg; HAProxy 2.0 or later is needed',
  );
}
