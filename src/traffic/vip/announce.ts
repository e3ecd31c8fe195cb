/** Which program tells the neighbours that an address has moved, and how it is called. Pure. */

import type { VirtualAddress } from './plan.ts';

/** Two programs are called arping, with different flags; BusyBox' is like that of iputils. */
export type Arping = 'habets' | 'iputils';

/** Command that makes an arping tell which it is; exit code and stream differ. */
export const ARPING_VERSION: readonly string[] = ['arping', '-V'];
/** Command that shows whether ndptool (package libndp-tools) is there, which sends unsolicited neighbour advertisements. */
export const NDPTOOL_VERSION: readonly string[] = ['ndptool', '--help'];

/** Null if it is neither. */
export function recognizeArping(output: string): Arping | null {
  if (/iputils|busybox/i.test(output)) return 'iputils';
  return /habets/i.test(output) ? 'habets' : null;
}

export interface Announcers {
  readonly arping: Arping | null;
  readonly ndptool: boolean;
}

/** An address on the loopback interface (nodes behind IPVS with direct routing) is nobody else's business. */
export function isAnnounced(vip: VirtualAddress): boolean {
  return vip.interface !== 'lo';
}

/** The command that announces the address once; null if the machine has none for its family. */
export function announceCommand(vip: VirtualAddress, tools: Announcers): readonly string[] | null {
  if (vip.family === 6) {
    if (!tools.ndptool) return null;
    return ['ndptool', '-i', vip.interface, '-t', 'na', '-U', '-T', vip.address, 'send'];
  }
  switch (tools.arping) {
    case 'habets':
      return ['arping', '-U', '-c', '1', '-i', vip.interface, '-S', vip.address, vip.address];
    case 'iputils':
      return ['arping', '-U', '-c', '1', '-I', vip.interface, vip.address];
    case null:
      return null;
  }
}
