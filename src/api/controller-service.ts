import type { Action, Explanation, Promotion, Reload } from '../model/answers.ts';
import type { GroupEvent } from '../model/event.ts';
import type { ClusterStatus } from '../model/status.ts';

/**
 * What the API asks of the controller. The daemon implements it; the server knows nothing else of the controller.
 * Every method may throw `HsctlError`: `usage` for a group or node that does not exist, `refused` with the reason when a
 * guard blocks the request, `disk` when it could not be recorded. Actions resolve once they are recorded durably;
 * what follows from them shows in `status` and in the events.
 */
export interface ControllerService {
  /** All groups, or the one named. */
  status(group?: string): ClusterStatus;
  explain(group: string): Explanation;
  /** Plans a change of master and, unless it is a dry run, starts it. A plan with refusals is returned by a dry run only. */
  promote(request: PromoteRequest): Promise<Promotion>;
  /** No new work for the node; if it is master, its peer is promoted first. Not promoted automatically until undrained. */
  drain(request: DrainRequest): Promise<Action>;
  undrain(request: NodeRequest): Promise<Action>;
  /** Takes the operator's word that a node is off, where a reign of it has to end before another one begins. */
  fenced(request: NodeRequest): Promise<Action>;
  /** No automatic failover for a while; leases go on. */
  pause(request: PauseRequest): Promise<Action>;
  resume(request: GroupRequest): Promise<Action>;
  /** Without `afterId` the newest, with it those that follow it; in both cases oldest first. */
  events(query: EventQuery): readonly GroupEvent[];
  /** Calls after each new event, until the function that it returns is called. */
  onEvent(listener: () => void): () => void;
  /** Digest of what is in force for each group, by group, to compare with those of a file. */
  configDigests(): Readonly<Record<string, string>>;
  /** Reads the configuration file again and applies what changed; a bad file changes nothing. */
  reload(request: ReloadRequest): Promise<Reload>;
  /** Notes a request to change something that came to nothing, or that changed no group's record. */
  audit(entry: AuditEntry): void;
  /** Prometheus text. */
  metrics(): string;
}

export interface AuditEntry {
  /** Empty: it was about no group. */
  readonly group: string;
  readonly operator: string;
  /** What was asked for, in words: `promote b --force`. */
  readonly action: string;
  readonly refused: boolean;
  readonly result: string;
}

/** Who asked, as noted in the events: `alice (uid 1000)` over the local socket, `alice (certificate)` over mTLS. */
interface ByOperator {
  readonly operator: string;
}

export interface GroupRequest extends ByOperator {
  readonly group: string;
}

export interface NodeRequest extends GroupRequest {
  readonly node: string;
}

export interface PromoteRequest extends GroupRequest {
  /** Null: the node that would be best. */
  readonly node: string | null;
  readonly dryRun: boolean;
  /** Go on although the present master cannot be asked, or a hold-down, pause or drain stands against it. */
  readonly force: boolean;
  /** Go on although acknowledged records may be lost. */
  readonly allowDataLoss: boolean;
}

export interface DrainRequest extends NodeRequest {
  /** After this time the connections that remain are reset; null: never. */
  readonly timeoutMs: number | null;
}

export interface PauseRequest extends GroupRequest {
  readonly forMs: number;
}

export interface EventQuery {
  readonly group?: string;
  readonly afterId?: number;
  readonly limit: number;
}

export interface ReloadRequest extends ByOperator {
  /** Take groups out although they serve. */
  readonly force: boolean;
  readonly dryRun: boolean;
}
