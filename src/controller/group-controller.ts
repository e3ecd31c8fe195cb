import type { Timer } from '../kit/clock.ts';
import { HsctlError } from '../kit/errors.ts';
import type { AgentReport } from '../model/agent-report.ts';
import { emptyRecord, type GroupRecord } from '../model/group-record.ts';
import type { NodeId } from '../model/roles.ts';
import { NO_LEASE, type Beat, type Grant } from '../protocol/link/messages.ts';
import { changed, decide, explain, ruleFor, type ExplainedRule } from './decide.ts';
import { assignmentFor, desiredTraffic, mayGrant } from './derive.ts';
import { cutOff, planUndrain } from './draining.ts';
import type { GroupPorts, GroupSettings } from './group-ports.ts';
import { NodeState } from './node-state.ts';
import { changeBy, drainBy, fencedBy, promotionBy, type OperatorPlan } from './operator-plans.ts';
import { PhaseWatch } from './phase-watch.ts';
import { FenceRunner } from './fence-runner.ts';
import { fenceFound, fenceWanted, type FenceOrder } from './fencing.ts';
import type { DesiredTraffic, FenceOutcome, NewEvent, ProbeObservation } from './ports.ts';
import { RecordKeeper, type RecordStep } from './record-keeper.ts';
import { TiltWatch } from './tilt.ts';
import { TrafficMover } from './traffic-mover.ts';
import { planPromotion, type PromotePlan } from './preflight.ts';
import type { Change } from './changes.ts';
import type { Rule } from './rules.ts';
import type { GroupView, PromoteRequest } from './view.ts';

/** Changes in one turn that no sensible table of rules exceeds. */
const CHANGES_LIMIT = 10;

/**
 * One group at the controller: observe, decide, act. Observations come in through the `on` methods; each one that
 * matters leads to a decision at once. A decision is durable before anything follows from it, and everything that
 * follows is derived from the record, so that a controller killed between any two steps takes up where it was.
 */
export class GroupController {
  #settings: GroupSettings;
  readonly #ports: GroupPorts;
  readonly #nodes: readonly NodeState[];
  readonly #phases: PhaseWatch;
  readonly #tiltWatch: TiltWatch;
  readonly #fences: FenceRunner;
  readonly #traffic: TrafficMover;
  readonly #keeper: RecordKeeper;
  #stageSinceMs: number;
  #tilt: string | null = null;
  #cutOffTold = '';
  #wake: Timer | null = null;
  #ruleId = '';
  #diskError = '';

  constructor(settings: GroupSettings, record: GroupRecord | null, ports: GroupPorts) {
    this.#settings = settings;
    this.#ports = ports;
    this.#keeper = new RecordKeeper(ports.records, record ?? emptyRecord(settings.group));
    const nowMs = ports.scheduler.monotonicMs();
    this.#stageSinceMs = nowMs;
    const longestGrantMs = Math.max(settings.grantMs, ports.records.longestGrantMs());
    this.#nodes = settings.nodes.map((id) => new NodeState(id, nowMs, longestGrantMs, this.record.epoch));
    this.#phases = new PhaseWatch(ports.scheduler);
    this.#tiltWatch = new TiltWatch(ports.scheduler, settings);
    this.#traffic = new TrafficMover(ports, () => this.step());
    this.#fences = new FenceRunner({
      scheduler: ports.scheduler,
      fence: (order, signal) => ports.fence(order, signal),
      onOutcome: (order, outcome) => void this.#keeper.exclusively(() => this.#onFence(order, outcome)),
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
    if (this.record.stage === 'quiescing') this.step();
    const grants = beat.wantsLease && this.#diskError === '' && this.#mayGrant(node, beat.epoch);
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
    const view = this.view();
    this.#decide(view);
    this.#act(view.record === this.record ? view : this.view());
  }

  /** Plans what an operator asks for; carries it out unless it is refused or `dryRun`. @throws HsctlError('disk') */
  promote(request: PromoteRequest, operator: string, dryRun: boolean): Promise<PromotePlan> {
    return this.#keeper.exclusivelyNow(async () => {
      const view = this.view();
      const plan = planPromotion(view, request);
      if (dryRun || plan.refusals.length > 0 || plan.change === null) return plan;
      await this.#carryOut(promotionBy(view, plan.change, `${operator} promotes ${plan.to}`));
      return plan;
    });
  }

  /** Records an operator's change that needs no plan. @throws HsctlError('disk') */
  change(change: Change, operator: string, what: string): Promise<void> {
    return this.#keeper.exclusivelyNow(() => this.#carryOut(changeBy(this.view(), change, operator, what)));
  }

  /** Takes an operator's word that a node is off. @throws HsctlError('refused') if it is not, or nothing waits for it; ('disk') */
  fenced(node: NodeId, operator: string): Promise<void> {
    return this.#keeper.exclusivelyNow(() => this.#carryOut(fencedBy(this.view(), node, operator)));
  }

  /**
   * Takes a node out of service, for good until it is undrained; what connections it still has after `timeoutMs` are reset
   * (null: never). If it is master its peer takes over, in the same decision.
   * @throws HsctlError('refused') if nobody can; ('disk')
   */
  drain(node: NodeId, timeoutMs: number | null, operator: string): Promise<void> {
    return this.#keeper.exclusivelyNow(() => this.#carryOut(drainBy(this.view(), node, timeoutMs, operator)));
  }

  undrain(node: NodeId, operator: string): Promise<void> {
    const change = (): OperatorPlan =>
      changeBy(this.view(), planUndrain(this.view(), node), operator, `undrain ${node}`);
    return this.#keeper.exclusivelyNow(() => this.#carryOut(change()));
  }

  explain(): readonly ExplainedRule[] {
    return explain(this.view());
  }

  // --- state

  /** What is durable. */
  get record(): GroupRecord {
    return this.#keeper.durable;
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
    return this.#viewOf(this.record, this.#nowMs - this.#stageSinceMs);
  }

  /** What is known now, beside a record that may be the next one. */
  #viewOf(record: GroupRecord, stageMs: number): GroupView {
    const { stage, master } = record;
    const nowMs = this.#nowMs;
    const nowWallMs = this.#ports.scheduler.wallMs();
    return {
      record,
      nodes: this.#nodes.map((node) => {
        const peer = this.#nodes.find((other) => other !== node);
        return node.view(nowMs, peer?.silenceOfPeer(nowMs, this.#settings) ?? Infinity);
      }),
      thresholds: this.#settings,
      nowWallMs,
      stageMs,
      tilt: this.#tilt,
      cutOff: cutOff(record, nowWallMs),
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
    const record = changed(view, found.change, this.record.rule, found.message);
    const step = this.#stepTo(view, record, found.isAlarm ? 'alarm' : 'observation', found.message);
    this.#save([step], (error) => error !== null && this.#noteDisk(error));
  }

  /** A fence on record is as good as the node's own word. */
  #noteFence(): void {
    const { fence } = this.record;
    if (fence?.state === 'confirmed') this.#node(fence.node).onRenounced(fence.epoch);
  }

  #lookAtClocks(): void {
    const tilt = this.#tiltWatch.look();
    if (tilt !== null && this.#tilt === null) this.#ports.logger.warn(tilt);
    this.#tilt = tilt;
  }

  /** Decides on what is known, one rule after the other, and submits all that comes of it as one change. */
  #decide(view: GroupView): void {
    if (this.#keeper.saving !== null) return this.#keeper.settle((error) => this.#goOn(error));
    const decided: RecordStep[] = [];
    for (let changes = 0; changes < CHANGES_LIMIT; changes += 1) {
      const rule = ruleFor(view);
      if (rule.change === null && rule.id === this.#ruleId) break;
      const { reason, record } = decide(view, rule);
      if (rule.id !== this.#ruleId) {
        this.#ruleId = rule.id;
        this.#ports.logger.debug(rule.title, { rule: rule.id, found: reason });
        if (rule.alarms) this.#alarm(view, rule, reason);
      }
      if (record === null) break;
      decided.push(this.#stepTo(view, record, 'decision', `${rule.title}: ${reason}`));
      view = this.#viewOf(record, record.stage === view.record.stage ? view.stageMs : 0);
    }
    if (decided.length === 0) this.#diskError = '';
    else this.#save(decided, (error) => this.#noteDisk(error));
  }

  #alarm({ record }: GroupView, { id: rule, title }: Rule, reason: string): void {
    const { group, epoch, master: node } = record;
    const wallMs = this.#ports.scheduler.wallMs();
    const message = `${title}: ${reason}`;
    this.#ports.records.append([{ group, wallMs, kind: 'alarm', rule, epoch, node, message, phasesMs: null }]);
    this.#ports.logger.warn(message, { rule });
  }

  /** The next record, with the event that tells of it. */
  #stepTo(view: GroupView, record: GroupRecord, kind: NewEvent['kind'], message: string): RecordStep {
    const { group, rule, epoch, master: node } = record;
    const wallMs = this.#ports.scheduler.wallMs();
    const phasesMs = this.#phases.decided(view, record);
    return { record, event: { group, wallMs, kind, rule, epoch, node, message, phasesMs } };
  }

  /** Nothing follows from a change, nothing else is decided, and no agent is told anything until it is durable. */
  #save(steps: readonly RecordStep[], onSaved: (error: HsctlError | null) => void): void {
    const former = this.record;
    this.#keeper.save(steps, (error) => {
      if (error === null) this.#enact(former, steps);
      onSaved(error);
      this.#goOn(error);
    });
  }

  #goOn(error: HsctlError | null): void {
    this.#lookAtClocks();
    // What came meanwhile is decided on first: an agent takes what it is told for an answer to all that it said before.
    if (error === null) this.#decide(this.view());
    this.#assignAll();
    this.#act(this.view());
  }

  /** Does what follows from the record, beside what agents are told. */
  #act(view: GroupView): void {
    this.#tellCutOff(view);
    const { stage, master, epoch } = view.record;
    if (stage === 'promoting' && master !== null) this.#phases.reported(this.#node(master).report, epoch);
    this.#fences.update(fenceWanted(view));
    this.#traffic.update(desiredTraffic(view));
    // What is under way is waited for once no more comes, which the drivers say later.
    if (stage === 'quiescing') this.#assignAll();
    this.#planWake();
  }

  /** These changes are durable. */
  #enact(former: GroupRecord, steps: readonly RecordStep[]): void {
    let stage = former.stage;
    for (const { record, event } of steps) {
      const { rule, epoch, master } = record;
      if (record.stage !== stage) this.#stageSinceMs = this.#nowMs;
      stage = record.stage;
      this.#ports.logger.info(event.message, { rule, epoch, stage, node: master });
      this.#ports.recorded?.(record);
    }
    this.#noteFence();
  }

  /** Whoever asked for it is told if it cannot be saved. */
  #carryOut({ record, message }: OperatorPlan): Promise<void> {
    const step = this.#stepTo(this.view(), record, 'operator', message);
    return new Promise((resolve, reject) => {
      this.#save([step], (error) => (error === null ? resolve() : reject(error)));
    });
  }

  /** Grants follow from what is durable; none is given that a decision on its way takes back. */
  #mayGrant(node: NodeId, epoch: number): boolean {
    const { saving } = this.#keeper;
    return mayGrant(this.record, node, epoch) && (saving === null || mayGrant(saving, node, epoch));
  }

  /** Without a durable record nothing may follow, leases included: the pair goes on under the slave's grant. */
  #noteDisk(error: HsctlError | null): void {
    if (error !== null && this.#diskError === '') this.#ports.logger.error(error.message, { hint: error.hint });
    this.#diskError = error?.message ?? '';
  }

  #assignAll(): void {
    for (const node of this.#nodes) this.#assign(node);
  }

  /** Tells a node what it should be, unless it has acted on this very word already. */
  #assign(node: NodeState): void {
    if (this.#keeper.saving !== null) return;
    const view = this.view();
    const nodeView = view.nodes.find((each) => each.id === node.id);
    const assignment = nodeView === undefined ? null : assignmentFor(view, nodeView);
    if (assignment === null || !node.needs(assignment)) return;
    node.assigned(assignment);
    this.#ports.assign(node.id, assignment);
  }

  /** The former master is fenced at the very moment at which the grant to it has run out, not at the next heartbeat. */
  #planWake(): void {
    const { stage, previous } = this.record;
    if (stage !== 'fencing' || previous === null || this.#wake !== null) return;
    const { grantRunsMs } = this.#node(previous).view(this.#nowMs, 0);
    if (grantRunsMs <= 0) return;
    this.#wake = this.#ports.scheduler.after(grantRunsMs, () => {
      this.#wake = null;
      this.step();
    });
  }

  /** Time alone ends a drain: no change of the record tells the agents of it. */
  #tellCutOff({ cutOff: found }: GroupView): void {
    const nodes = found.join();
    if (nodes === this.#cutOffTold) return;
    this.#cutOffTold = nodes;
    this.#assignAll();
  }
}
