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
