/**
 * Which segments to rewrite next. The aim: never more on disk than twice the live data and two segments, so the work
 * begins well before that, and each piece of it makes no more than one segment.
 */

/** What is known of a segment, oldest first. */
export interface SegmentFacts {
  readonly bytes: number;
  /** Bytes of records that must stay: an estimate, an eighth too high at most. */
  readonly usefulBytes: number;
  /** The part of them that are deletes old enough to be dropped, once nothing older is left. */
  readonly expiredBytes: number;
  /** Complete, with its hint file, and nothing in it can be cut any more. */
  readonly ready: boolean;
}

/** Segments [from, to) of the list. */
export interface Run {
  readonly from: number;
  readonly to: number;
}

/**
 * Begin when this many times the useful bytes, and this part of a segment, is on disk. The later, the less of what is
 * rewritten is still of use: under random overwriting a tenth more on disk saves about a third of the work.
 */
const BEGIN = { times: 1.6, segments: 0.5 };
/** Then hurry: the limit is near, since the useful bytes are estimated too high and the result needs its place too. */
const HURRY = { times: 1.75, segments: 0.75 };
/** A segment is worth rewriting if this part of it would go. */
const WORTHWHILE = 0.2;
/**
 * One that stands beside it goes with it if this part of that would go: hardly less, since what stays in a segment
 * becomes less by itself while others are rewritten.
 */
const ALIKE = 0.9;
/** Segments smaller than this part of a whole one are joined, if so many stand together. */
const SMALL = 0.25;
const MANY = 4;

/** The run to rewrite next, or null if nothing is due. */
export function chooseRun(segments: readonly SegmentFacts[], segmentBytes: number): Run | null {
  const run = isDue(segments, segmentBytes, BEGIN) ? mostGarbage(segments, segmentBytes) : null;
  return run ?? manySmall(segments, segmentBytes);
}

/** Whether the work ought not to be slowed down. */
export function isUrgent(segments: readonly SegmentFacts[], segmentBytes: number): boolean {
  return isDue(segments, segmentBytes, HURRY);
}

function isDue(segments: readonly SegmentFacts[], segmentBytes: number, limit: typeof BEGIN): boolean {
  let bytes = 0;
  let useful = 0;
  for (const [index, segment] of segments.entries()) {
    bytes += segment.bytes;
    useful += usefulOf(segment, index === 0);
  }
  return bytes > limit.times * useful + limit.segments * segmentBytes;
}

/** Deletes can be dropped only together with everything that is older than they. */
function usefulOf(segment: SegmentFacts, first: boolean): number {
  return Math.min(segment.bytes, segment.usefulBytes - (first ? segment.expiredBytes : 0));
}

/** The segment of which least would stay, and those beside it that are worth it and fit. */
function mostGarbage(segments: readonly SegmentFacts[], segmentBytes: number): Run | null {
  const garbage = segments.map((segment, index) =>
    segment.ready ? 1 - usefulOf(segment, index === 0) / Math.max(1, segment.bytes) : 0,
  );
  let best = 0;
  for (const [index, part] of garbage.entries()) if (part > garbage[best]!) best = index;
  if (garbage.length === 0 || garbage[best]! < WORTHWHILE) return null;
  let from = best;
  let to = best + 1;
  let stays = segments[best]!.usefulBytes;
  const fits = (index: number): boolean =>
    (garbage[index] ?? 0) >= Math.max(WORTHWHILE, ALIKE * garbage[best]!) &&
    stays + segments[index]!.usefulBytes <= segmentBytes;
  while (fits(to)) stays += segments[to++]!.usefulBytes;
  while (fits(from - 1)) stays += segments[--from]!.usefulBytes;
  return { from, to };
}

function manySmall(segments: readonly SegmentFacts[], segmentBytes: number): Run | null {
  let from = 0;
  let bytes = 0;
  for (const [index, segment] of segments.entries()) {
    const small = segment.ready && segment.bytes < SMALL * segmentBytes;
    if (small) bytes += segment.bytes;
    if (small && bytes <= segmentBytes) continue;
    if (index - from >= MANY) return { from, to: index };
    from = small ? index : index + 1;
    bytes = small ? segment.bytes : 0;
  }
  return segments.length - from >= MANY ? { from, to: segments.length } : null;
}
