import type { Scheduler } from '../kit/clock.ts';
import type { Logger } from '../kit/logger.ts';
import type { AgentReport } from '../model/agent-report.ts';
import type { Assignment } from '../model/assignment.ts';
import type { Beat, Ping } from '../protocol/link/messages.ts';
import type { AgentMemory, Log } from '../replication/log/log.ts';
import type { Posture } from './core/posture.ts';
import type { NodeFacts } from './core-report.ts';

/** What an agent's node needs of the world: its log, its clock, the machine's devices and programs, and its links. */
export interface NodePorts {
  readonly log: Log;
  readonly memory: AgentMemory;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Random name of this run. */
  readonly instance: string;
  /** Whether no session with a former master is still at work on the log. */
  logIsFree(): boolean;
  /** Written through at each append: the log counts as held only once it is on stable storage. */
  readonly syncsAlways: boolean;
  /** Runs a task at the end of this turn of the event loop. */
  endOfTurn(task: () => void): void;
  /** Puts traffic on this node, or renews it, for no longer than the lease. Rejects if it cannot. */
  holdTraffic(remainingMs: number): Promise<void>;
  /** For how long traffic that is put on this node for `remainingMs` may stay beyond that by itself. */
  trafficOutlivesMs(remainingMs: number): number;
  /** Resolves when no traffic can reach this node any more. */
  releaseTraffic(): Promise<void>;
  /** Addresses that the node holds. */
  addresses(): readonly string[];
  /** What an operator should see to though the node does its work. */
  warnings(): readonly string[];
  /** End of this node's certificate, in milliseconds since 1970; null without one. */
  certificateEndsWallMs(): number | null;
  nodeFacts(): NodeFacts;
  /** Keeps new work out; `onIdle` is called once what was under way has ended. */
  closeGate(onIdle: () => void): void;
  openGate(): void;
  /** The node is drained, or no longer: its connections are to be counted, or what is left of them reset. */
  drain(wish: Assignment['drain']): void;
  /** Tells the app and runs the hooks. */
  roleChanged(posture: Posture): void;
  /** Dials, feeds or drops the peer as the posture says. */
  peerWanted(posture: Posture): void;
  sendToController(message: Beat | { readonly type: 'report'; readonly report: AgentReport }): void;
  sendToSlave(message: Ping | { readonly type: 'release'; readonly renouncedEpoch: number }): void;
  /** A batch that this node made, for its slave; false if its bytes are not needed any more. */
  batchMade(batch: Uint8Array): boolean;
  /** What the replication link knows, for reports. */
  peerFacts(): Pick<AgentReport['peer'], 'end' | 'lagBytes' | 'catchUp'>;
}
