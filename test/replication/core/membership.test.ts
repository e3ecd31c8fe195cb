import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Membership, type SlaveProgress } from '../../../src/replication/core/membership.ts';

const STALL_MS = 2_000;

/** A proposal on its way to the controller, or an answer on its way back. */
interface Told {
  readonly id: number;
  readonly inSync: readonly string[];
}

/**
 * A master's membership with the worst controller and links there may be: proposals and answers are delayed and lost,
 * though never overtaken; the controller records when it likes. The slave confirms when it likes.
 */
class World {
  readonly membership: Membership;
  recorded: readonly string[];
  proposals: Told[] = [];
  answers: Told[] = [];
  /** Newest proposal that the controller has heard. */
  heard: Told | null = null;
  endSeq = 10;
  ackedSeq = 0;
  attached = false;
  stalledMs = 0;
  /** Highest record that counted as confirmed without the slave. */
  confirmedAloneTo = 0;
  marks: string[] = [];
  #ids = 0;

  constructor(recorded: readonly string[]) {
    this.recorded = recorded;
    this.membership = new Membership({
      self: 'a',
      slave: 'b',
      epoch: 7,
      recorded,
      nextProposalId: () => (this.#ids += 1),
    });
  }

  readonly mark = (members: readonly string[]): number => {
    this.endSeq += 1;
    this.marks.push(members.join());
    return this.endSeq;
  };

  advance(): void {
    const { attached, ackedSeq, stalledMs } = this;
    const progress: SlaveProgress = { attached, ackedSeq, levelSeq: this.endSeq, stalledMs };
    this.membership.advance(progress, STALL_MS, this.mark);
    this.report();
  }

  report(): void {
    const { proposal } = this.membership;
    if (proposal !== null) this.proposals.push({ id: proposal.id, inSync: proposal.inSync });
  }

  /** The controller hears the next report, and forgets the one before. */
  hear(): void {
    this.heard = this.proposals.shift() ?? this.heard;
  }

  record(): void {
    if (this.heard !== null) this.recorded = this.heard.inSync;
  }

  /** It sends what is on record, with the newest proposal that it knows, whether or not it has recorded that. */
  answer(): void {
    this.answers.push({ id: this.heard?.id ?? 0, inSync: this.recorded });
  }

  take(): void {
    const answer = this.answers.shift();
    if (answer !== undefined) this.membership.answered(answer.inSync, answer.id, this.mark);
  }

  write(): void {
    this.endSeq += 1;
    if (!this.membership.slaveMustConfirm) this.confirmedAloneTo = this.endSeq;
  }

  check(): void {
    const { slaveMustConfirm, state } = this.membership;
    if (!slaveMustConfirm) this.confirmedAloneTo = this.endSeq;
    assert.ok(slaveMustConfirm || !this.recorded.includes('b'), `${state}, but b is on record`);
    const onTheWay = [...this.proposals, ...(this.heard === null ? [] : [this.heard])];
    const newest = onTheWay.at(-1);
    if (newest?.inSync.includes('b')) assert.ok(slaveMustConfirm, `${state}, but b is about to be on record`);
    if (this.recorded.includes('b') || state === 'entering')
      assert.ok(this.ackedSeqEver >= this.confirmedAloneTo, `b is on record without record ${this.confirmedAloneTo}`);
  }

  /** What the slave has at least; it may be attached anew, but loses nothing. */
  ackedSeqEver = 0;

  ack(seq: number): void {
    if (!this.attached) return;
    this.ackedSeq = Math.min(this.endSeq, Math.max(this.ackedSeq, seq));
    this.ackedSeqEver = Math.max(this.ackedSeqEver, this.ackedSeq);
  }
}

const DEEDS: readonly ((world: World) => void)[] = [
  (world) => world.advance(),
  (world) => world.advance(),
  (world) => world.write(),
  (world) => {
    world.attached = true;
    world.ackedSeq = 0;
  },
  (world) => world.ack(world.endSeq),
  (world) => world.ack(world.endSeq),
  (world) => world.ack(world.endSeq - 1),
  (world) => {
    world.attached = false;
    world.stalledMs = STALL_MS + 1;
  },
  (world) => (world.stalledMs = 0),
  (world) => world.hear(),
  (world) => world.hear(),
  (world) => world.record(),
  (world) => world.record(),
  (world) => world.answer(),
  (world) => world.answer(),
  (world) => world.take(),
  (world) => world.take(),
  (world) => {
    world.attached = true;
    world.stalledMs = 0;
    world.ack(world.endSeq);
    world.advance();
    world.ack(world.endSeq);
    world.advance();
  },
  // The link to the controller breaks: what was under way is lost, and the report is sent again.
  (world) => {
    world.proposals = [];
    world.answers = [];
    world.report();
  },
];

describe('the membership of a slave', () => {
  it('the set that must confirm is never smaller than what the controller may have on record', () => {
    const deed = fc.integer({ min: 0, max: DEEDS.length - 1 });
    const visited = new Set<string>();
    fc.assert(
      fc.property(fc.boolean(), fc.array(deed, { minLength: 1, maxLength: 120 }), (together, deeds) => {
        const world = new World(together ? ['a', 'b'] : ['a']);
        world.ackedSeqEver = together ? world.endSeq : 0;
        for (const index of deeds) {
          DEEDS[index]?.(world);
          visited.add(world.membership.state);
          world.check();
        }
      }),
      { numRuns: 5_000, seed: 11 },
    );
    assert.deepEqual([...visited].toSorted(), ['entering', 'in', 'leaving', 'out', 'tightening']);
  });

  it('comes to both in sync from any state, once everything works', () => {
    const deed = fc.integer({ min: 0, max: DEEDS.length - 1 });
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 60 }), (deeds) => {
        const world = new World(['a', 'b']);
        for (const index of deeds) DEEDS[index]?.(world);
        world.attached = true;
        world.stalledMs = 0;
        for (let round = 0; round < 20; round += 1) {
          world.ack(world.endSeq);
          world.advance();
          while (world.proposals.length > 0) world.hear();
          world.record();
          world.answer();
          while (world.answers.length > 0) world.take();
        }
        assert.equal(world.membership.state, 'in');
        assert.deepEqual(world.recorded, ['a', 'b']);
        assert.equal(world.membership.proposal, null);
      }),
      { numRuns: 500 },
    );
  });

  it('marks the log before it tightens and before it relaxes', () => {
    const world = new World(['a', 'b']);
    world.stalledMs = STALL_MS + 1;
    world.advance();
    assert.deepEqual([world.membership.state, world.marks], ['leaving', []]);
    world.membership.answered(['a'], 1, world.mark);
    assert.deepEqual([world.membership.state, world.marks], ['out', ['a']]);
    world.attached = true;
    world.stalledMs = 0;
    world.ack(world.endSeq);
    world.advance();
    assert.deepEqual([world.membership.state, world.marks], ['tightening', ['a', 'a,b']]);
    world.advance();
    assert.equal(world.membership.state, 'tightening', 'not before the slave has the mark');
    world.ack(world.endSeq);
    world.advance();
    assert.equal(world.membership.state, 'entering');
  });

  it('tightens only once the slave is as good as level, and gives it up again if the slave does not go on', () => {
    const world = new World(['a']);
    world.attached = true;
    world.ack(world.endSeq - 1);
    world.advance();
    assert.equal(world.membership.state, 'out');
    world.ack(world.endSeq);
    world.advance();
    assert.equal(world.membership.state, 'tightening');
    world.stalledMs = STALL_MS + 1;
    world.advance();
    assert.deepEqual([world.membership.state, world.marks], ['out', ['a,b', 'a']]);
  });

  it('asks again for what was not answered, and takes no answer to something else', () => {
    const world = new World(['a', 'b']);
    world.stalledMs = STALL_MS + 1;
    world.advance();
    const first = world.membership.proposal;
    world.membership.answered(['a'], 0, world.mark);
    world.membership.answered(['a', 'b'], 1, world.mark);
    assert.deepEqual([world.membership.state, world.membership.proposal], ['leaving', first]);
  });
});
