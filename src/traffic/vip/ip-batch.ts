import type { ToolKind } from '../open-tool.ts';

/** `ip` kept open for the commands of one family: without it, it takes rules for those of IPv4. */
export function ipBatch(family: 4 | 6): ToolKind {
  return {
    command: ['ip', `-${family}`, '-force', '-batch', '-'],
    // `link show` would do too, but changes what later `addr show` lines of the same run print.
    endQuery: 'netconf show dev lo',
    endLine: /^inet6? lo /,
  };
}
