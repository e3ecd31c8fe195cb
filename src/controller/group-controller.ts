import type { Scheduler, Timer } from '../kit/clock.ts';
import { HsctlError } from '../kit/errors.ts';
import type { Logger } from '../kit/logger.ts';
import type { AgentReport } from '../model/agent-report.ts';
import type { Assignment } from '../model/assignment.ts';
import { emptyRecord, type GroupRecord } from '../model/group-record.ts';
import type { NodeId } from '../model/roles.ts';
import { NO_LEASE, type Beat, type Grant } from '../protocol/link/messages.ts';
import { decide, explain, changed, type ExplainedRule } from './decide.ts';
import { assignmentFor, desiredTraffic, mayGrant } from './derive.ts';
import { cutOff, planDrain, planUndrain } from './draining.ts';
import { NodeState } from './node-state.ts';
import { PhaseWatch } from './phase-watch.ts';
import { FenceRunner } from './fence-runner.ts';
import { fenceFound, fenceWanted, planFenced, type FenceOrder } from './fencing.ts';
import type { DesiredTraffic, FenceOutcome, NewEvent, ProbeObservation, Records } from './ports.ts';
import { TiltWatch } from './tilt.ts';
import { TrafficMover } from './traffic-mover.ts';
import { planPromotion, type PromotePlan } from './preflight.ts';
import type { Change } from './changes.ts';
import type { GroupView, PromoteRequest, Thresholds } from './view.ts';

/**
 * One group at the controller: observe, decide, act. Observations come in through the `on` methods; each one that
 * matters leads to a decision at once. A decision is durable before anything follows from it, and everything that
 * follows is derived from the record, so that a controller killed between any two steps takes up where it was.
 */
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

/** Changes in one turn that no sensible table of rules exceeds. */
const CHANGES_LIMIT = 10;

export class GroupController {
  #settings: GroupSettings;
  readonly #ports: GroupPorts;
  readonly #nodes: readonly NodeState[];
  readonly #phases: PhaseWatch;
  readonly #tiltWatch: TiltWatch;
  readonly #fences: FenceRunner;
  readonly #traffic: TrafficMover;
  #record: GroupRecord;
  #stageSinceMs: number;
  #tilt: string | null = null;
  #cutOffTold = '';
  #wake: Timer | null = null;
  #ruleId = '';
  #diskError = '';

  constructor(settings: GroupSettings, record: GroupRecord | null, ports: GroupPorts) {
    this.#settings = settings;
    this.#ports = ports;
    this.#record = record ?? emptyRecord(settings.group);
    const nowMs = ports.scheduler.monotonicMs();
    this.#stageSinceMs = nowMs;
    const longestGrantMs = Math.max(settings.grantMs, ports.records.longestGrantMs());
    this.#nodes = settings.nodes.map((id) => new NodeState(id, nowMs, longestGrantMs, this.#record.epoch));
    this.#phases = new PhaseWatch(ports.scheduler);
    this.#tiltWatch = new TiltWatch(ports.scheduler, settings);
    this.#traffic = new TrafficMover(ports, () => this.step());
    this.#fences = new FenceRunner({
      scheduler: ports.scheduler,
      fence: (order, signal) => ports.fence(order, signal),
      onOutcome: (order, outcome) => this.#onFence(order, outcome),
    });
    this.#noteFence();
  }

  // --- observations

  onLinked(node: NodeId): void {
    this.#node(node).linked(this.#nowMs);
  }

  onUnlinked(node: NodeId): void {
    this.#node(node).unlinked();
    this.step();
  }

  onReport(node: NodeId, report: AgentReport): void {
    this.#node(node).onReport(report, this.#nowMs);
    const peer = this.#nodes.find((other) => other.id !== node);
    peer?.onRenounced(report.peer.renouncedEpoch);
    this.step();
    this.#assign(this.#node(node));
  }

  /** A heartbeat: the answer grants a lease if the record says so. */
  onBeat(node: NodeId, beat: Beat): Grant {
    const state = this.#node(node);
    const nowMs = this.#nowMs;
    state.onBeat(beat, nowMs);
    // A planned change waits for the ends of both logs.
    if (this.#record.stage === 'quiescing') this.step();
    const grants = beat.wantsLease && this.#diskError === '' && mayGrant(this.#record, node, beat.epoch);
    if (grants) state.grant(nowMs, this.#settings.grantMs, beat.epoch);
    return {
      type: 'grant',
      echoedSentAtMs: beat.sentAtMs,
      epoch: beat.epoch,
      ...(grants ? { leaseMs: this.#settings.leaseMs, lingerMs: this.#settings.lingerMs } : NO_LEASE),
    };
  }

  onProbe(node: NodeId, probe: Omit<ProbeObservation, 'sinceMs'>): void {
    this.#node(node).onProbe(probe, this.#nowMs);
    this.step();
  }

  // --- settings

  get settings(): GroupSettings {
    return this.#settings;
  }

  /**
   * Other settings, for the same nodes. What was granted by the former ones is waited out all the same. Whoever calls this
   * has made the longest grant durable before.
   */
  reconfigure(settings: GroupSettings): void {
    this.#tiltWatch.reconfigure(settings);
    this.#settings = settings;
    this.step();
  }

  /** Other drivers lead the traffic: they are told what is wanted, as if it had just been decided. */
  driversChanged(): void {
    this.#traffic.forget();
    this.step();
  }

  /** Has the drivers look whether all is still as they left it, and mend what somebody changed. To be called now and then. */
  repairTraffic(): void {
    this.#traffic.repair();
  }

  // --- decisions

  /** Decides and acts on what is known now. To be called each heartbeat at least. */
  step(): void {
    this.#lookAtClocks();
    try {
      for (let changes = 0; changes < CHANGES_LIMIT; changes += 1) {
        const decision = decide(this.view());
        if (decision.rule.id !== this.#ruleId) {
          this.#ruleId = decision.rule.id;
          this.#ports.logger.debug(decision.rule.title, { rule: decision.rule.id, found: decision.reason });
        }
        if (decision.record === null) break;
        this.#save(decision.record, 'decision', `${decision.rule.title}: ${decision.reason}`);
      }
      this.#diskError = '';
    } catch (error) {
      this.#onSaveFailed(error);
    }
    this.#tellCutOff();
    this.#observePhases();
    const view = this.view();
    this.#fences.update(fenceWanted(view));
    this.#traffic.update(desiredTraffic(view));
    // What is under way is waited for once no more comes, which the drivers say later.
    if (this.#record.stage === 'quiescing') for (const node of this.#nodes) this.#assign(node);
    this.#planWake();
  }

  /** Plans what an operator asks for; carries it out unless it is refused or `dryRun`. */
  promote(request: PromoteRequest, operator: string, dryRun: boolean): PromotePlan {
    const plan = planPromotion(this.view(), request);
    if (dryRun || plan.refusals.length > 0 || plan.change === null) return plan;
    const reason = `${operator} promotes ${plan.to}`;
    this.#save(changed(this.view(), plan.change, 'operator', reason), 'operator', reason);
    this.step();
    return plan;
  }

  /** Records an operator's change that needs no plan. @throws HsctlError('disk') */
  change(change: Change, operator: string, what: string): void {
    this.#save(
      changed(this.view(), change, this.#record.rule, this.#record.reason),
      'operator',
      `${operator}: ${what}`,
    );
    this.step();
  }

  /** Takes an operator's word that a node is off. @throws HsctlError('refused') if it is not, or nothing waits for it; ('disk') */
  fenced(node: NodeId, operator: string): void {
    const plan = planFenced(this.view(), node, operator);
    if ('refusal' in plan)
      throw new HsctlError('refused', plan.refusal, 'hsctl explain shows what the group waits for');
    this.change(plan.change, operator, `${node} is off`);
  }

  /**
   * Takes a node out of service, for good until it is undrained; what connections it still has after `timeoutMs` are reset
   * (null: never). If it is master its peer takes over, in the same decision.
   * @throws HsctlError('refused') if nobody can; ('disk')
   */
  drain(node: NodeId, timeoutMs: number | null, operator: string): void {
    const view = this.view();
    const change = planDrain(view, node, timeoutMs);
    if (view.record.master !== node) return this.change(change, operator, `drain ${node}`);
    const plan = planPromotion(view, { to: null, force: false, allowDataLoss: false });
    if (plan.refusals.length > 0 || plan.change === null)
      throw new HsctlError(
        'refused',
        `${node} is master and nobody can take over: ${plan.refusals.join('; ')}`,
        'bring the other node back first',
      );
    const reason = `${operator} drains ${node}: ${plan.to} takes over`;
    this.#save(changed(view, { ...plan.change, ...change }, 'operator', reason), 'operator', reason);
    this.step();
  }

  undrain(node: NodeId, operator: string): void {
    this.change(planUndrain(this.view(), node), operator, `undrain ${node}`);
  }

  explain(): readonly ExplainedRule[] {
    return explain(this.view());
  }

  // --- state

  get record(): GroupRecord {
    return this.#record;
  }

  get tilt(): string | null {
    return this.#tilt;
  }

  /** Last failure of the traffic drivers or of the records; empty if there is none. */
  get trouble(): string {
    return this.#diskError || this.#traffic.trouble;
  }

  get trafficSettled(): boolean {
    return this.#traffic.settled;
  }

  get wantedTraffic(): DesiredTraffic | null {
    return this.#traffic.wanted;
  }

  view(): GroupView {
    const { scheduler } = this.#ports;
    const { stage, master } = this.#record;
    const nowMs = scheduler.monotonicMs();
    return {
      record: this.#record,
      nodes: this.#nodes.map((node) => {
        const peer = this.#nodes.find((other) => other !== node);
        return node.view(nowMs, peer?.silenceOfPeer(nowMs) ?? Infinity);
      }),
      thresholds: this.#settings,
      nowWallMs: scheduler.wallMs(),
      stageMs: nowMs - this.#stageSinceMs,
      tilt: this.#tilt,
      cutOff: cutOff(this.#record, scheduler.wallMs()),
      trafficMoved: this.trafficSettled && this.wantedTraffic?.active === (stage === 'quiescing' ? null : master),
    };
  }

  get #nowMs(): number {
    return this.#ports.scheduler.monotonicMs();
  }

  #node(id: NodeId): NodeState {
    const node = this.#nodes.find((each) => each.id === id);
    if (node === undefined) throw new HsctlError('usage', `group ${this.#settings.group} has no node ${id}`);
    return node;
  }

  // --- steps

  /** What the commands came to is on record before anything follows from it. */
  #onFence(order: FenceOrder, outcome: FenceOutcome): void {
    const view = this.view();
    const found = fenceFound(view, order, outcome);
    if (found === null) return;
    const { change, message, isAlarm } = found;
    try {
      this.#save(changed(view, change, this.#record.rule, message), isAlarm ? 'alarm' : 'observation', message);
    } catch (error) {
      return this.#onSaveFailed(error);
    }
    this.step();
  }

  /** A fence on record is as good as the node's own word. */
  #noteFence(): void {
    const { fence } = this.#record;
    if (fence?.state === 'confirmed') this.#node(fence.node).onRenounced(fence.epoch);
  }

  #lookAtClocks(): void {
    const tilt = this.#tiltWatch.look();
    if (tilt !== null && this.#tilt === null) this.#ports.logger.warn(tilt);
    this.#tilt = tilt;
  }

  #save(record: GroupRecord, kind: NewEvent['kind'], message: string): void {
    const former = this.#record;
    const wallMs = this.#ports.scheduler.wallMs();
    const completed = former.stage === 'promoting' && record.stage === 'serving';
    if (record.stage === 'fencing' && former.stage !== 'fencing') this.#phases.begin(this.view());
    if (record.stage === 'promoting' && former.stage === 'fencing') this.#phases.reached('fence');
    if (completed) this.#phases.reached('traffic');
    const { rule, epoch } = record;
    const phasesMs = completed ? this.#phases.finish() : null;
    const event = { group: record.group, wallMs, kind, rule, epoch, node: record.master, message, phasesMs };
    this.#ports.records.save(record, [event]);
    this.#record = record;
    this.#noteFence();
    if (record.stage !== former.stage) this.#stageSinceMs = this.#nowMs;
    this.#ports.logger.info(message, { rule, epoch, stage: record.stage, node: record.master });
    for (const node of this.#nodes) this.#assign(node);
    this.#ports.recorded?.(record);
  }

  /** Without a durable record nothing may follow, leases included: the pair goes on under the slave's grant. */
  #onSaveFailed(error: unknown): void {
    if (!(error instanceof HsctlError)) throw error;
    if (this.#diskError === '') this.#ports.logger.error(error.message, { hint: error.hint });
    this.#diskError = error.message;
  }

  /** Tells a node what it should be, unless it has acted on this very word already. */
  #assign(node: NodeState): void {
    const view = this.view();
    const nodeView = view.nodes.find((each) => each.id === node.id);
    const assignment = nodeView === undefined ? null : assignmentFor(view, nodeView);
    if (assignment === null || !node.needs(assignment)) return;
    node.assigned(assignment);
    this.#ports.assign(node.id, assignment);
  }

  /** The former master is fenced at the very moment at which the grant to it has run out, not at the next heartbeat. */
  #planWake(): void {
    const { stage, previous } = this.#record;
    if (stage !== 'fencing' || previous === null || this.#wake !== null) return;
    const { grantRunsMs } = this.#node(previous).view(this.#nowMs, 0);
    if (grantRunsMs <= 0) return;
    this.#wake = this.#ports.scheduler.after(grantRunsMs, () => {
      this.#wake = null;
      this.step();
    });
  }

  /** Time alone ends a drain: no change of the record tells the agents of it. */
  #tellCutOff(): void {
    const nodes = cutOff(this.#record, this.#ports.scheduler.wallMs()).join();
    if (nodes === this.#cutOffTold) return;
    this.#cutOffTold = nodes;
    for (const node of this.#nodes) this.#assign(node);
  }

  #observePhases(): void {
    const { stage, master, epoch } = this.#record;
    if (stage !== 'promoting' || master === null) return;
    const { report } = this.#node(master).view(this.#nowMs, 0);
    if (report?.role !== 'master' || report.epoch !== epoch) return;
    if (report.phase === 'promoting' || report.phase === 'ready') this.#phases.reached('promote');
    if (report.phase === 'ready') this.#phases.reached('ready');
  }
}
