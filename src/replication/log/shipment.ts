import { HsctlError } from '../../kit/errors.ts';
import { BLOCK_BYTES } from './block-sums.ts';
import { damagedFile, diskFailure } from './disk-failure.ts';
import type { Disk, DiskFile } from './disk.ts';
import type { Segment } from './segment.ts';

/** Part of what a shipment consists of: first the hint file, then the batches. */
export interface ShippedPart {
  readonly kind: 'hint' | 'batch';
  readonly bytes: Uint8Array;
  /** Nothing comes behind it. */
  readonly last: boolean;
}

/**
 * Reads a complete segment and its hint file as they are, to be sent to a slave whose index has the same secret. Both files
 * stay readable until `close`, whatever compaction does meanwhile.
 *
 * The slave checks each batch before it takes it. So they are checked here only if the segment was sent before: whoever asks
 * for it once more may have found it damaged. (One that found so in the middle of it goes on by `readAfter`, which checks.)
 */
export class Shipment {
  readonly hintBytes: number;
  readonly #segment: Segment;
  readonly #hint: DiskFile;
  readonly #isWhole: () => boolean;
  readonly #seen: (error: unknown) => unknown;
  readonly #checks: boolean;
  #at = 0;
  #reading = false;
  #closed = false;

  /** `isWhole`: whether the segment was not cut since. `seen`: takes note of an error and gives it back. @throws HsctlError('disk') */
  constructor(
    disk: Disk,
    segment: Segment,
    hintPath: string,
    isWhole: () => boolean,
    seen: (error: unknown) => unknown,
  ) {
    try {
      this.#hint = disk.open(hintPath, 'read');
    } catch (error) {
      throw diskFailure('open', hintPath, 0, error);
    }
    this.#segment = segment;
    this.#isWhole = isWhole;
    this.#seen = seen;
    this.hintBytes = this.#hint.size();
    this.#checks = segment.wasShipped;
    segment.wasShipped = true;
    segment.hold();
  }

  /** Last seq of the segment. */
  get endSeq(): number {
    return this.#segment.end.seq;
  }

  /** Whether any of it was read. */
  get isBegun(): boolean {
    return this.#at > 0;
  }

  /** What has not been read yet. */
  get leftBytes(): number {
    return this.hintBytes + this.#segment.bytes - this.#at;
  }

  /**
   * The next part, of about `maxBytes`, in `room` if it fits. Not to be called while a call is under way, nor after the
   * last part.
   * @throws HsctlError('disk') if the bytes on disk are damaged: file and offset.
   */
  async next(maxBytes: number, room?: Uint8Array): Promise<ShippedPart> {
    const { hintBytes } = this;
    this.#reading = true;
    try {
      const kind = this.#at < hintBytes ? 'hint' : 'batch';
      const file = kind === 'hint' ? this.#hint : this.#segment.file;
      const from = kind === 'hint' ? this.#at : this.#at - hintBytes;
      const end = kind === 'hint' ? hintBytes : this.#segment.bytes;
      const to = Math.min(end, from + Math.max(BLOCK_BYTES, maxBytes - (maxBytes % BLOCK_BYTES)));
      const bytes = room !== undefined && to - from <= room.length ? room.subarray(0, to - from) : newRoom(to - from);
      await this.#read(file, bytes, from);
      if (kind === 'batch' && this.#checks) this.#segment.checkBlocks(bytes, from);
      this.#at += bytes.length;
      return { kind, bytes, last: this.leftBytes === 0 };
    } catch (error) {
      throw this.#seen(error);
    } finally {
      this.#reading = false;
      if (this.#closed) this.#release();
    }
  }

  /** Lets go of the files. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#reading) this.#release();
  }

  #release(): void {
    this.#hint.close();
    this.#segment.release();
  }

  async #read(file: DiskFile, bytes: Uint8Array, from: number): Promise<void> {
    let got = 0;
    try {
      got = await file.readLater(bytes, 0, bytes.length, from);
    } catch (error) {
      throw diskFailure('read', file.path, from, error);
    }
    if (!this.#isWhole()) throw new HsctlError('failed', `${file.path} was cut while it was read`);
    if (got < bytes.length) throw damagedFile(file.path, from + got, 'the file ends here');
  }
}

function newRoom(bytes: number): Uint8Array {
  return Buffer.allocUnsafeSlow(bytes);
}
