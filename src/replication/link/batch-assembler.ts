import { BatchHeader } from '../../protocol/batch/batch-header.ts';
import { BATCH_HEADER_BYTES } from '../../protocol/batch/layout.ts';

/** Room for gathering that is kept for the next batch. */
const KEPT_ROOM_BYTES = 2 * 1024 * 1024;

/**
 * Cuts a stream of log bytes, as it arrives in slices, into whole batches. A batch that lies within one slice is given
 * out as a view of it; one that does not is gathered, with memory for it set aside only once its header has come and
 * its checksum is right. Neither is good for longer than the call in which it is given out.
 */
export class BatchAssembler {
  readonly #header = new BatchHeader();
  readonly #partialHeader = new Uint8Array(BATCH_HEADER_BYTES);
  /** The batch that is being gathered: its header first, then all of it. Null between batches. */
  #gathered: Uint8Array | null = null;
  #filled = 0;
  #room = new Uint8Array(0);

  /**
   * Takes the next slice and calls `onBatch` for each batch that it completes, with the batch's header (both valid during the call).
   * @throws HsctlError('format') if no batch starts where one should; nothing can be made of the stream after that.
   */
  push(slice: Uint8Array, onBatch: (batch: Uint8Array, header: BatchHeader) => void): void {
    let at = 0;
    while (at < slice.length) {
      if (this.#gathered === null) {
        const whole = this.#wholeBatch(slice, at);
        if (whole !== null) {
          at += whole.length;
          onBatch(whole, this.#header);
          continue;
        }
        this.#gathered = this.#partialHeader;
      }
      at += this.#gather(this.#gathered, slice, at, onBatch);
    }
  }

  /** The batch that starts at `at` if all of it is there. */
  #wholeBatch(slice: Uint8Array, at: number): Uint8Array | null {
    if (slice.length - at < BATCH_HEADER_BYTES) return null;
    const { totalBytes } = this.#header.read(slice, at);
    return slice.length - at < totalBytes ? null : slice.subarray(at, at + totalBytes);
  }

  /** Adds what belongs to the batch under way; returns how many bytes that was. */
  #gather(
    gathered: Uint8Array,
    slice: Uint8Array,
    at: number,
    onBatch: (batch: Uint8Array, header: BatchHeader) => void,
  ): number {
    const taken = Math.min(gathered.length - this.#filled, slice.length - at);
    gathered.set(slice.subarray(at, at + taken), this.#filled);
    this.#filled += taken;
    if (this.#filled < gathered.length) return taken;
    if (gathered === this.#partialHeader) {
      const { totalBytes } = this.#header.read(gathered);
      this.#gathered = this.#roomFor(totalBytes);
      this.#gathered.set(gathered);
      if (totalBytes > BATCH_HEADER_BYTES) return taken;
    }
    const batch = this.#gathered!;
    this.#gathered = null;
    this.#filled = 0;
    onBatch(batch, this.#header);
    return taken;
  }
  #roomFor(bytes: number): Uint8Array {
    if (bytes > KEPT_ROOM_BYTES) return new Uint8Array(bytes);
    if (bytes > this.#room.length) this.#room = new Uint8Array(Math.min(KEPT_ROOM_BYTES, 2 * bytes));
    return this.#room.subarray(0, bytes);
  }
}
