const SPACING_BYTES = 64 * 1024;

/** Where some of a segment's batches begin: one for each 64 KiB or so, to find the others by walking on from there. */
export class Checkpoints {
  readonly offsets: number[] = [];
  readonly seqs: number[] = [];

  /** Notes the batch that begins at `offset` with `seq`, if the last one noted is far enough back. */
  note(offset: number, seq: number): void {
    const last = this.offsets.at(-1);
    if (last !== undefined && offset - last < SPACING_BYTES) return;
    this.offsets.push(offset);
    this.seqs.push(seq);
  }

  /** Offset of the last noted batch that begins at or before `seq`. */
  before(seq: number): number {
    let low = 0;
    let high = this.seqs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.seqs[middle]! <= seq) low = middle + 1;
      else high = middle;
    }
    return this.offsets[low - 1] ?? 0;
  }
}
