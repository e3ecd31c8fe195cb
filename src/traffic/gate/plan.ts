/**
 * A table of nftables' own that drops the first packet of new TCP connections to one port. Clients send it again
 * (after one second at first), so new connections wait rather than fail, and present ones are left alone. Pure.
 */

/** Names may hold letters, digits, dots and dashes; everything else is written as its code, so no two names meet. */
export function tableName(...parts: readonly (string | number)[]): string {
  const encoded = parts.map((part) =>
    String(part).replaceAll(/[^A-Za-z0-9.-]/gu, (character) => `_${(character.codePointAt(0) ?? 0).toString(16)}`),
  );
  return ['hsctl', ...encoded].join('__');
}

export interface Gate {
  readonly table: string;
  /** `node`: connections to this machine. `director`: also those that it passes on. */
  readonly place: 'node' | 'director';
  /** Only connections to this address; null for any. */
  readonly address: string | null;
  readonly port: number;
  /** Instead of address and port: connections of the address' family with this mark, which others set before. */
  readonly mark?: number;
}

/** Removes the table, whether or not it is there: in one transaction, adding what exists is no error. */
export function openGate(gate: Gate): string {
  return `add table inet ${gate.table}\ndelete table inet ${gate.table}\n`;
}

/** Makes the table anew in one transaction. */
export function closeGate(gate: Gate): string {
  const { table } = gate;
  // Marks are set at priority -150 (mangle).
  const priority = gate.mark === undefined ? -150 : -140;
  const hook = gate.place === 'node' ? 'input priority -10' : `prerouting priority ${priority}`;
  const rule = `${connectionsOf(gate)}tcp flags & (syn | ack) == syn drop`;
  const own = gate.place === 'node' ? '' : `add rule inet ${table} local ${rule}\n`;
  return `${openGate(gate)}add table inet ${table}
add chain inet ${table} arriving { type filter hook ${hook}; policy accept; }
add rule inet ${table} arriving ${rule}
${own === '' ? '' : `add chain inet ${table} local { type filter hook output priority ${priority}; policy accept; }\n${own}`}`;
}

function connectionsOf({ address, port, mark }: Gate): string {
  const ip = address?.includes(':') ? 'ip6' : 'ip';
  if (mark !== undefined) return `meta nfproto ${ip === 'ip6' ? 'ipv6' : 'ipv4'} meta mark ${mark} `;
  return `${address === null ? '' : `${ip} daddr ${address} `}tcp dport ${port} `;
}
