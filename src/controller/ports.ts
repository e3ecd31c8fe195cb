import type { HsctlError } from '../kit/errors.ts';
import type { GroupEvent } from '../model/event.ts';
import type { GroupRecord } from '../model/group-record.ts';
import type { NodeId } from '../model/roles.ts';

/** What the controller's loop needs from the outside; implementations live in records, traffic, probes. */

/**
 * Durable records and events. What is submitted in one turn of the event loop, for whatever group, goes to stable storage
 * together.
 */
export interface Records {
  /** All records, at start. */
  load(): Map<string, GroupRecord>;
  /** Submits a record with the events that tell of it. Nothing may follow from it before `onSaved` says that it is durable. */
  save(record: GroupRecord, events: readonly NewEvent[], onSaved: Saved): void;
  /** Submits events that change no record. */
  append(events: readonly NewEvent[], onSaved?: Saved): void;
  /** Saves something new, whatever it is: then no save that was refused can be found there any more. */
  settle(onSettled: (error: HsctlError | null) => void): void;
  /** Those that are on stable storage, newest last. */
  events(query: { group?: string; afterId?: number; limit: number }): readonly GroupEvent[];
  /** Longest lease that may have been granted before a restart, in milliseconds. */
  longestGrantMs(): number;
  /** Returns only when it is on stable storage. @throws HsctlError('disk') */
  saveLongestGrantMs(durationMs: number): void;
  /** What was submitted before is saved, and told; what comes after is lost. */
  close(): void;
}

/**
 * Called once, later: the events with their ids, or why nothing of it is durable. Of what was refused all may be there all
 * the same, and be found by the next controller, until something else was saved.
 */
export type Saved = (error: HsctlError | null, events: readonly GroupEvent[]) => void;

export type NewEvent = Omit<GroupEvent, 'id'>;

/** Where one group's traffic should go, as all drivers of the group understand it. */
export interface DesiredTraffic {
  /** Node that takes new connections; null: none (they are held or refused, as the driver can). */
  readonly active: NodeId | null;
  /** New connections wait (a change is under way) rather than fail, where the driver can hold them. */
  readonly hold: boolean;
  /** Nodes that are known dead: connections to them are reset rather than left to end. */
  readonly dead: readonly NodeId[];
  /** Reign on whose behalf this is, for scripts and logs. */
  readonly epoch: number;
}

/** What the commands that fence a node came to. */
export interface FenceOutcome {
  /** `confirmed`: it is off, or cut off for good. `failed`: it surely is not. `unknown`: nobody can tell. */
  readonly state: 'confirmed' | 'failed' | 'unknown';
  /** For people: which command, and what it said. */
  readonly detail: string;
}

/** A driver instance for one traffic entry of one group, run by the controller (proxy, ipvs, nft, script). */
export interface TrafficDriver {
  readonly name: string;
  /**
   * Brings the real state to the desired one: reads what is, plans, executes, reads back. Safe to repeat; newer
   * calls supersede older ones. Resolves when traffic flows as desired. @throws HsctlError with the program's stderr
   */
  apply(desired: DesiredTraffic): Promise<void>;
  /** Number of established connections to a node; null if the driver cannot tell. */
  connections(node: NodeId): Promise<number | null>;
  /** Leaves the traffic as it is (a restarted controller adopts it) and frees what the driver holds in this process. */
  close(): Promise<void>;
}

/** Verdict of the remote probe on a node. */
export interface ProbeObservation {
  readonly verdict: 'up' | 'down' | 'unknown';
  /** Why, from the last probe. */
  readonly detail: string;
  /** What will be wrong soon, or does not keep the app from working; nothing, or empty: nothing. */
  readonly warning?: string;
  /** For how long the verdict has stood, in milliseconds. */
  readonly sinceMs: number;
}
