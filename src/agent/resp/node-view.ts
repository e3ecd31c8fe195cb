import type { AgentReport } from '../../model/agent-report.ts';
import type { NodeId } from '../../model/roles.ts';

/** What the service tells its clients of the node that it is on (HS STATUS, ROLE, INFO). */
export interface NodeView {
  readonly group: string;
  readonly node: NodeId;
  /** The other node of the pair; the address as clients may reach its agent. */
  readonly peer: { readonly node: NodeId; readonly host: string; readonly port: number };
  report(): AgentReport;
}

/** The role that the app is to play; `none`: neither, do nothing that shows outside. */
export interface RoleNews {
  readonly role: 'master' | 'slave' | 'none';
  readonly epoch: number;
  /** Who is master, if this node knows. */
  readonly master: NodeId | null;
}

/** The message on the channel `hs:role`: `master 7 a`, `slave 7 a`, `none 7 -`. */
export function roleMessage(news: RoleNews): string {
  return `${news.role} ${news.epoch} ${news.master ?? '-'}`;
}
