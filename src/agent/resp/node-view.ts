import type { AgentReport } from '../../model/agent-report.ts';
import type { NodeId } from '../../model/roles.ts';

/** What the service tells its clients of the node that it is on (HS STATUS, ROLE, INFO). */
export interface NodeView {
  readonly group: string;
  readonly node: NodeId;
  /** The other node of the pair; the address as clients may reach its agent. */
  readonly peer: { readonly node: NodeId; readonly host: string; readonly port: number };
  report(): AgentReport;
  /** Pace of a catch-up by this node, in bytes per second; null for unlimited. */
  readonly catchUpRate: number | null;
  /** Changes it, also for a catch-up under way, until the agent is restarted. */
  setCatchUpRate(bytesPerSecond: number | null): void;
}
