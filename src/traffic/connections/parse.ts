/**
 * States in which work may be under way: established, being set up (the last packet of the handshake is still to come,
 * and no gate for new connections will stop it), and closed by the client alone, who may still wait for an answer.
 */
const OPEN_STATES = ['01 ', '03 ', '08 '];

/**
 * Counts open connections in the text of /proc/net/tcp or tcp6. A line is
 * `  0: 0100007F:2328 0200007F:C001 01 ...`: number, local and remote address:port in hexadecimal, state. Pure.
 */
export function countOpen(table: string, port: number): number {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  let count = 0;
  let at = table.indexOf(wanted);
  while (at !== -1) {
    const remoteStart = at + wanted.length;
    const remoteEnd = table.indexOf(' ', remoteStart);
    // The same text may be the remote port: then a state follows, not another address.
    const isLocal = remoteEnd !== -1 && table.slice(remoteStart, remoteEnd).includes(':');
    if (isLocal && OPEN_STATES.includes(table.slice(remoteEnd + 1, remoteEnd + 4))) count += 1;
    at = table.indexOf(wanted, remoteStart);
  }
  return count;
}
