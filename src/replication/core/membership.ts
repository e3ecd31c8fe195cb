import type { NodeId } from '../../model/roles.ts';
import type { InSyncProposal } from '../../model/agent-report.ts';

/**
 * The master's view of whether its slave belongs to the in-sync set. The one rule behind it: the set that must
 * confirm is never smaller than the set that the controller may have on record. So it tightens before it asks to
 * enter, and relaxes only after the answer to its request to leave (after Viewstamped Replication's and Kafka's
 * in-sync sets: leave the record before relaxing, enter it after tightening).
 *
 *   out -> tightening -> entering -> in -> leaving -> out
 *          tightening -> out            entering -> leaving
 */
export type MembershipState = 'out' | 'tightening' | 'entering' | 'in' | 'leaving';

/** What the master knows of its slave at one moment. */
export interface SlaveProgress {
  /** Attached under this reign. */
  readonly attached: boolean;
  /** Has confirmed this much under this reign. */
  readonly ackedSeq: number;
  /** Once it has confirmed this much it is as good as level. */
  readonly levelSeq: number;
  /** For how long it has owed a confirmation, or has not been attached at all; 0 if neither. */
  readonly stalledMs: number;
}

export class Membership {
  readonly #self: NodeId;
  readonly #slave: NodeId;
  readonly #epoch: number;
  readonly #nextProposalId: () => number;
  #state: MembershipState;
  #proposal: InSyncProposal | null = null;
  /** The slave has to confirm this record before it may enter. */
  #tightenedAtSeq = 0;

  /** `recorded`: the in-sync set with which the reign began. `nextProposalId` must rise for the life of the process. */
  constructor(options: {
    self: NodeId;
    slave: NodeId;
    epoch: number;
    recorded: readonly NodeId[];
    nextProposalId: () => number;
  }) {
    this.#self = options.self;
    this.#slave = options.slave;
    this.#epoch = options.epoch;
    this.#nextProposalId = options.nextProposalId;
    this.#state = options.recorded.includes(options.slave) ? 'in' : 'out';
  }

  get state(): MembershipState {
    return this.#state;
  }

  /** What the controller should record; null if it knows all. */
  get proposal(): InSyncProposal | null {
    return this.#proposal;
  }

  /** Whether records count as confirmed only once the slave has them. */
  get slaveMustConfirm(): boolean {
    return this.#state !== 'out';
  }

  /**
   * Goes as far as it can now. `mark` writes an in-sync record to the log and returns its seq: before the
   * rule is tightened, so that the slave's confirmation of that record proves that it has all before it; and before
   * the rule is relaxed, so that the log itself tells which records were confirmed alone.
   */
  advance(progress: SlaveProgress, stallTimeoutMs: number, mark: (members: readonly NodeId[]) => number): void {
    const stalled = progress.stalledMs > stallTimeoutMs;
    switch (this.#state) {
      case 'out':
        if (!progress.attached || progress.ackedSeq < progress.levelSeq) return;
        this.#state = 'tightening';
        this.#tightenedAtSeq = mark([this.#self, this.#slave]);
        return;
      case 'tightening':
        if (progress.attached && progress.ackedSeq >= this.#tightenedAtSeq) {
          this.#propose('entering', [this.#self, this.#slave]);
        } else if (!progress.attached || stalled) {
          this.#relax(mark);
        }
        return;
      case 'entering':
      case 'in':
        if (stalled) this.#propose('leaving', [this.#self]);
        return;
      case 'leaving':
        return;
    }
  }

  /** Takes the controller's answer: the recorded set, and the proposal up to which it is an answer. */
  answered(recorded: readonly NodeId[], answeredProposal: number, mark: (members: readonly NodeId[]) => number): void {
    if (this.#proposal === null || answeredProposal < this.#proposal.id) return;
    const entered = recorded.includes(this.#slave);
    if (this.#state === 'entering' && entered) {
      this.#state = 'in';
      this.#proposal = null;
    } else if (this.#state === 'leaving' && !entered) {
      this.#proposal = null;
      this.#relax(mark);
    }
  }

  #relax(mark: (members: readonly NodeId[]) => number): void {
    mark([this.#self]);
    this.#state = 'out';
  }

  #propose(state: 'entering' | 'leaving', inSync: readonly NodeId[]): void {
    this.#state = state;
    this.#proposal = { id: this.#nextProposalId(), epoch: this.#epoch, inSync: [...inSync] };
  }
}
