import { HsctlError } from '../../kit/errors.ts';
import type { HintMessage, SegmentMessage } from '../../protocol/link/messages.ts';
import type { LinkConnection } from '../../transport/link-connection.ts';
import type { Log } from '../log/log.ts';
import { HintAssembler } from './hint-assembler.ts';

export interface SegmentReceiverOptions {
  readonly link: LinkConnection;
  readonly log: Log;
  /** The log has all that came up to its end, which may be confirmed. */
  readonly onAppended: () => void;
  readonly onFailure: (thrown: unknown) => void;
}

/**
 * Takes segments that come whole, each with its hint file in front, and lets the link bring no more than the disk and the
 * index have room for. A segment is confirmed when all of it is in its file; before that it may be in memory.
 */
export class SegmentReceiver {
  readonly #options: SegmentReceiverOptions;
  /** Hint file of the segment that comes next, as far as it has come. */
  #hint: HintAssembler | null = null;
  #stopped = false;

  constructor(options: SegmentReceiverOptions) {
    this.#options = options;
  }

  /** Whether a part of a hint file comes next. */
  get isWithinHint(): boolean {
    return this.#hint !== null;
  }

  /** The beginning of a segment, or a part of its hint file. @throws HsctlError('format') if it is not what comes next. */
  take(message: SegmentMessage | HintMessage): void {
    if (message.type === 'segment') {
      if (this.#hint !== null) throw new HsctlError('format', 'a segment came within a hint file');
      this.#hint = new HintAssembler(message.hintBytes);
      return;
    }
    const whole = this.#hint?.add(message.bytes);
    if (whole === undefined) throw new HsctlError('format', 'a hint file came without a segment');
    if (whole === null) return;
    this.#hint = null;
    this.#onceRoom(() => {
      this.#options.log.expect(whole);
      this.#onceRoom();
    });
  }

  /** Batches were appended, of a segment or others. */
  appended(): void {
    const { log, onAppended } = this.#options;
    if (log.isExpecting) this.#onceRoom();
    else if (log.hasRoom) onAppended();
    else void this.#afterRoom(onAppended);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Takes nothing more from the link before there is room, then does something: at once, if there is. */
  #onceRoom(then: () => void = () => undefined): void {
    if (this.#options.log.hasRoom) return then();
    void this.#pauseForRoom(then);
  }

  async #pauseForRoom(then: () => void): Promise<void> {
    const { link, log } = this.#options;
    link.pause();
    await this.#afterRoom(then);
    if (this.#stopped) return;
    if (log.hasRoom) link.resume();
    else void this.#pauseForRoom(() => undefined);
  }

  async #afterRoom(then: () => void): Promise<void> {
    try {
      await this.#options.log.room();
      if (!this.#stopped) then();
    } catch (thrown) {
      if (!this.#stopped) this.#options.onFailure(thrown);
    }
  }
}
