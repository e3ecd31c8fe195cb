import type { Scheduler } from '../kit/clock.ts';
import type { Logger } from '../kit/logger.ts';
import type { Assignment } from '../model/assignment.ts';
import type { GroupRecord } from '../model/group-record.ts';
import type { NodeId } from '../model/roles.ts';
import type { FenceOrder } from './fencing.ts';
import type { DesiredTraffic, FenceOutcome, Records } from './ports.ts';
import type { Thresholds } from './view.ts';

/** What the controller of one group goes by. */
export interface GroupSettings extends Thresholds {
  readonly group: string;
  readonly nodes: readonly NodeId[];
  readonly leaseMs: number;
  /** What of the traffic may outlive a lease on the node, by itself. */
  readonly lingerMs: number;
  /** What this controller waits for a lease that it granted: longer than the lease (see kit/lease.ts). */
  readonly grantMs: number;
  readonly heartbeatMs: number;
}

export interface GroupPorts {
  readonly records: Records;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Sends an assignment to the node's agent if there is a link. */
  assign(node: NodeId, assignment: Assignment): void;
  /** A change of the record is durable. */
  recorded?(record: GroupRecord): void;
  /** Brings the traffic to the desired state; rejects if it cannot. */
  moveTraffic(desired: DesiredTraffic): Promise<void>;
  /** Runs the commands that fence a node; `signal` calls them off. */
  fence(order: FenceOrder, signal: AbortSignal): Promise<FenceOutcome>;
}
