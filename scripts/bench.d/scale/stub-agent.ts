import type { Scheduler } from '../../../src/kit/clock.ts';
import type { AgentReport } from '../../../src/model/agent-report.ts';
import type { Assignment } from '../../../src/model/assignment.ts';
import { LINK_VERSIONS, type LinkMessage } from '../../../src/protocol/link/messages.ts';
import type { SocketLink } from '../../../src/transport/socket-link.ts';
import { reportOf } from '../../../test/model/reports.ts';
import { CLUSTER } from './places.ts';

/** Time until a crashed app runs again. */
const APP_RESTART_MS = 3000;

/**
 * The protocol of an agent without its log, its peer and its app: it greets, reports, beats, takes the role that it is
 * told, and gives an epoch up when its app crashes. Its log is level with its peer's at all times.
 */
export class StubAgent {
  readonly #group: string;
  readonly #node: string;
  readonly #scheduler: Scheduler;
  readonly #instance: string;
  /** Of the controller that has greeted. */
  #link: SocketLink | null = null;
  #assignment: Assignment | null = null;
  #role: AgentReport['role'] = 'waiting';
  #epoch = 0;
  #renouncedEpoch = 0;
  #appUp = true;

  constructor(group: string, node: string, scheduler: Scheduler) {
    this.#group = group;
    this.#node = node;
    this.#scheduler = scheduler;
    this.#instance = `${group}-${node}`;
  }

  get isMaster(): boolean {
    return this.#role === 'master';
  }

  accept(link: SocketLink): void {
    link.onClose(() => (this.#link = this.#link === link ? null : this.#link));
    link.onMessage((message) => this.#onMessage(link, message));
  }

  /** What an agent says each heartbeat interval. */
  beat(nowMs: number): void {
    this.#link?.send({
      type: 'beat',
      sentAtMs: nowMs,
      epoch: this.#epoch,
      endSeq: 1000,
      confirmedSeq: 1000,
      wantsLease: this.isMaster,
      peerSilentMs: 5,
    });
  }

  /** The app dies: a master gives its epoch up at once, and says so. */
  crashApp(): void {
    this.#appUp = false;
    if (this.isMaster) this.#renounce('waiting');
    this.#report();
    this.#scheduler.after(APP_RESTART_MS, () => {
      this.#appUp = true;
      this.#report();
    });
  }

  #onMessage(link: SocketLink, message: LinkMessage): void {
    if (message.type === 'hello') {
      const own = { cluster: CLUSTER, group: this.#group, node: this.#node, instance: this.#instance };
      this.#link = link;
      link.send({ type: 'hello', versions: LINK_VERSIONS, ...own });
      this.#report();
    } else if (message.type === 'assign') this.#onAssignment(message.assignment);
  }

  #onAssignment(assignment: Assignment): void {
    if (assignment.epoch < this.#epoch) return;
    this.#epoch = assignment.epoch;
    this.#assignment = assignment;
    if (assignment.role === 'slave') this.#renounce('slave');
    else if (assignment.role === 'master' && this.#appUp && this.#renouncedEpoch < this.#epoch) this.#role = 'master';
    this.#report();
  }

  #renounce(role: AgentReport['role']): void {
    this.#role = role;
    this.#renouncedEpoch = this.#epoch;
  }

  #report(): void {
    const end = { epoch: this.#epoch, seq: 1000, hash: 1 };
    const report = reportOf(this.#node, {
      instance: this.#instance,
      role: this.#role,
      epoch: this.#epoch,
      renouncedEpoch: this.#renouncedEpoch,
      phase: this.isMaster ? 'ready' : null,
      trouble: this.#appUp ? '' : 'the app crashed',
      assignmentRevision: this.#assignment?.revision ?? 0,
      log: { end, intact: true, aloneTo: 0 },
      inSync: this.#assignment?.inSync ?? [],
      confirmedSeq: end.seq,
      app: { state: this.#appUp ? 'up' : 'down', readyEpoch: this.isMaster ? this.#epoch : 0, restarts: 0, detail: '' },
      peer: { linked: true, silentMs: 5, renouncedEpoch: 0, grantRunsMs: 0, end, lagBytes: 0, catchUp: null },
    });
    this.#link?.send({ type: 'report', report });
  }
}
