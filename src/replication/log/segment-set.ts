import { HsctlError } from '../../kit/errors.ts';
import { LOG_START, type LogPosition } from '../../model/position.ts';
import type { Segment } from './segment.ts';

/** One number is no segment's: it stands for "nowhere" where places are noted. */
export const ID_LIMIT = 0xffff;

/** The segments of a log, oldest first; what one covers begins where the one before ends. */
export class SegmentSet {
  #list: readonly Segment[] = [];
  readonly #byId: (Segment | undefined)[] = [];
  #lastId = 0;
  /** Bytes of records that the index points to, by id of the segment; another array once there are more of them. */
  liveBytes = new Float64Array(64);

  get list(): readonly Segment[] {
    return this.#list;
  }

  get last(): Segment | undefined {
    return this.#list.at(-1);
  }

  get end(): LogPosition {
    return this.last?.end ?? LOG_START;
  }

  get bytes(): number {
    return this.#list.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  /** A number that no segment has. */
  takeId(): number {
    for (let tries = 1; tries < ID_LIMIT; tries++) {
      this.#lastId = (this.#lastId % (ID_LIMIT - 1)) + 1;
      if (this.#byId[this.#lastId] === undefined) return this.#lastId;
    }
    throw new HsctlError('disk', `the log has ${ID_LIMIT} segments`, 'raise replication.segmentBytes');
  }

  byId(id: number): Segment {
    const segment = this.#byId[id];
    if (segment === undefined) throw new Error(`invariant broken: the index names segment ${id}, which is gone`);
    return segment;
  }

  /** The segment that covers `seq`, or undefined if the log ends before it. */
  covering(seq: number): Segment | undefined {
    let low = 0;
    let high = this.#list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#list[middle]!.end.seq < seq) low = middle + 1;
      else high = middle;
    }
    return this.#list[low];
  }

  push(segment: Segment): void {
    this.register(segment);
    this.#list = [...this.#list, segment];
  }

  /** Lets the index name the segment before it takes its place. */
  register(segment: Segment): void {
    const { id } = segment;
    this.#byId[id] = segment;
    if (id >= this.liveBytes.length) {
      const more = new Float64Array(Math.min(ID_LIMIT, 2 * id));
      more.set(this.liveBytes);
      this.liveBytes = more;
    }
    this.liveBytes[id] = 0;
  }

  /** Puts `segment` in place of those that it was made from. */
  replace(former: readonly Segment[], segment: Segment): void {
    this.#list = this.#list.flatMap((each) => (each === former[0] ? [segment] : former.includes(each) ? [] : [each]));
    for (const each of former) this.forget(each);
  }

  /** Takes the last segment off. */
  pop(): void {
    const last = this.last;
    if (last === undefined) return;
    this.#list = this.#list.slice(0, -1);
    this.forget(last);
  }

  /** Puts a shorter view of the last segment, with the same id and file, in its place. */
  swapLast(segment: Segment): void {
    this.#byId[segment.id] = segment;
    this.#list = [...this.#list.slice(0, -1), segment];
  }

  clear(): void {
    while (this.last !== undefined) this.pop();
  }

  forget(segment: Segment): void {
    this.#byId[segment.id] = undefined;
    segment.drop();
  }
}
