import { GroupController } from '../../src/controller/group-controller.ts';
import type { FenceOrder } from '../../src/controller/fencing.ts';
import type { DesiredTraffic, FenceOutcome, NewEvent, Records, Saved } from '../../src/controller/ports.ts';
import type { Thresholds } from '../../src/controller/view.ts';
import { HsctlError } from '../../src/kit/errors.ts';
import { grantDurationMs } from '../../src/kit/lease.ts';
import { silentLogger } from '../../src/kit/logger.ts';
import type { AgentReport } from '../../src/model/agent-report.ts';
import type { Assignment } from '../../src/model/assignment.ts';
import type { GroupEvent } from '../../src/model/event.ts';
import type { GroupRecord } from '../../src/model/group-record.ts';
import type { Beat, Grant } from '../../src/protocol/link/messages.ts';
import { ManualScheduler } from '../kit/manual-scheduler.ts';
import { reportOf } from '../model/reports.ts';
import { SERVING, THRESHOLDS } from './views.ts';

export const LEASE_MS = 1_000;
export const GRANT_MS = grantDurationMs(LEASE_MS, 0);
export const HEARTBEAT_MS = 100;

/** What the master reports whose app has crashed, once it has given its lease back. */
export const RELEASED = {
  role: 'master',
  phase: 'released',
  renouncedEpoch: 7,
  trouble: 'it crashed',
  app: { state: 'down', readyEpoch: 0, restarts: 0, detail: 'it crashed' },
} as const;

/** Records in memory, on a disk that may refuse. */
class MemoryRecords implements Records {
  saved: GroupRecord[] = [];
  readonly told: NewEvent[] = [];
  broken = false;
  /** What is on its way to the disk, if a test lets it take its time; else it is there at once. */
  held: (() => void)[] | null = null;
  readonly #longestGrantMs: number;
  onSave: () => void = () => undefined;

  constructor(longestGrantMs: number) {
    this.#longestGrantMs = longestGrantMs;
  }

  load(): Map<string, GroupRecord> {
    return new Map();
  }

  save(record: GroupRecord, events: readonly NewEvent[], onSaved: Saved): void {
    const finish = (): void => {
      if (this.broken) return onSaved(new HsctlError('disk', 'database or disk is full'), []);
      this.saved.push(record);
      this.onSave();
      this.append(events);
      onSaved(null, []);
    };
    if (this.held === null) finish();
    else this.held.push(finish);
  }

  settle(onSettled: (error: HsctlError | null) => void): void {
    onSettled(this.broken ? new HsctlError('disk', 'database or disk is full') : null);
  }

  append(events: readonly NewEvent[]): void {
    this.told.push(...events);
  }

  events(): readonly GroupEvent[] {
    return [];
  }

  longestGrantMs(): number {
    return this.#longestGrantMs;
  }

  saveLongestGrantMs(): void {}

  close(): void {}
}

/** What happened, in order: `saved serving 7`, `assign b slave 8`, `traffic a`. */
export class ControllerHarness {
  readonly scheduler = new ManualScheduler();
  readonly records: MemoryRecords;
  readonly log: string[] = [];
  readonly assignments: (Assignment & { readonly to: string })[] = [];
  readonly traffic: DesiredTraffic[] = [];
  /** Answers an order for the traffic; a test may make the drivers fail or wait. */
  onTraffic: (desired: DesiredTraffic) => Promise<void> = () => Promise.resolve();
  /** Answers an order to fence; a test may let the commands fail or wait. */
  onFence: (order: FenceOrder, signal: AbortSignal) => Promise<FenceOutcome> = () =>
    Promise.resolve({ state: 'confirmed', detail: 'fenced by /fence' });
  readonly controller: GroupController;

  constructor(
    record: Partial<GroupRecord> = {},
    { longestGrantMs = GRANT_MS, ...thresholds }: Partial<Thresholds> & { longestGrantMs?: number } = {},
  ) {
    this.records = new MemoryRecords(longestGrantMs);
    this.records.onSave = () => {
      const { stage, epoch } = this.records.saved.at(-1)!;
      this.log.push(`saved ${stage} ${epoch}`);
    };
    this.controller = new GroupController(
      {
        ...THRESHOLDS,
        group: 'world',
        nodes: ['a', 'b'],
        leaseMs: LEASE_MS,
        lingerMs: 0,
        grantMs: GRANT_MS,
        heartbeatMs: HEARTBEAT_MS,
        ...thresholds,
      },
      { ...SERVING, ...record },
      {
        records: this.records,
        scheduler: this.scheduler,
        logger: silentLogger,
        assign: (to, assignment) => {
          this.assignments.push({ ...assignment, to });
          this.log.push(`assign ${to} ${assignment.role} ${assignment.epoch}`);
        },
        moveTraffic: (desired) => {
          this.traffic.push(desired);
          this.log.push(`traffic ${desired.active}`);
          return this.onTraffic(desired);
        },
        fence: (order, signal) => {
          this.log.push(`fence ${order.node} ${order.epoch}`);
          return this.onFence(order, signal);
        },
      },
    );
  }

  /** Takes what happened since the last time. */
  happened(): string[] {
    return this.log.splice(0);
  }

  report(node: string, change: Partial<AgentReport> = {}): void {
    this.controller.onReport(node, reportOf(node, change));
  }

  /** Both agents are there: a serves under epoch 7, b follows. */
  linkBoth(): void {
    for (const node of ['a', 'b']) this.controller.onLinked(node);
    this.report('a', { role: 'master', phase: 'ready', renouncedEpoch: 6 });
    this.report('b', { renouncedEpoch: 7 });
  }

  beat(node: string, change: Partial<Beat> = {}): Grant {
    const beat = { epoch: 7, endSeq: 184_223, confirmedSeq: 184_223, wantsLease: node === 'a', peerSilentMs: 10 };
    return this.controller.onBeat(node, { type: 'beat', sentAtMs: 5, ...beat, ...change });
  }

  /** Time passes in heartbeats; the nodes that are named are heard in each. */
  async pass(byMs: number, ...heard: string[]): Promise<void> {
    for (let passedMs = 0; passedMs < byMs; passedMs += HEARTBEAT_MS) {
      await this.scheduler.advance(HEARTBEAT_MS);
      for (const node of heard)
        this.beat(node, { wantsLease: false, peerSilentMs: heard.length > 1 ? 10 : passedMs + HEARTBEAT_MS });
      this.controller.step();
    }
  }

  /** a serves, b follows, both have told so, and traffic goes to a. */
  static async serving(record: Partial<GroupRecord> = {}): Promise<ControllerHarness> {
    const harness = new ControllerHarness(record);
    harness.linkBoth();
    await harness.scheduler.advance(0);
    harness.happened();
    return harness;
  }
}
