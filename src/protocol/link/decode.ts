import { assert, HsctlError } from '../../kit/errors.ts';
import { isBinaryType, readBinary } from './binary.ts';
import { FRAME_HEADER_BYTES, type FrameType, frameTypeByCode, type LinkKind } from './frames.ts';
import type { LinkMessage } from './messages.ts';
import { JSON_SCHEMAS, type JsonMessage } from './schemas.ts';

const NO_BYTES = new Uint8Array(0);
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Bytes to messages, in the order of arrival: `feed` a chunk, then call `next` until it gives null.
 *
 * The first message must be a hello (`hello` or `peerHello`), which also settles the kind of the link: messages
 * of the other kind are refused from then on. A `refusal` may stand in its place. Bodies that come in pieces are
 * gathered, within their type's limit; batches and hint files are not: what has come of one is given out at once, as a view of
 * the chunk, good as long as that, so that log bytes are not copied here and no length that the other side claims for them costs memory.
 */
export class LinkDecoder {
  #kind: LinkKind | null = null;
  #broken: HsctlError | null = null;
  #chunk: Uint8Array = NO_BYTES;
  #at = 0;
  /** How many bytes of the chunk count. */
  #end = 0;
  /** Of the chunk, as numbers. One stays good for as long as the chunks lie in one buffer. */
  #numbers: DataView = new DataView(NO_BYTES.buffer);
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES);
  #headerFilled = 0;
  /** Frame whose body is being taken; null between frames. */
  #frame: FrameType | null = null;
  #bodyLeft = 0;
  /** Room for a body that does not arrive in one piece; null if none has begun. */
  #gathered: Uint8Array | null = null;

  /**
   * The next bytes: the first `length` of a chunk. They must not change before they are used up or `keep`. Those before must be
   * used up: `next` gave null.
   */
  feed(chunk: Uint8Array, length = chunk.length): void {
    assert(this.#at === this.#end, 'the decoder is fed when it has nothing left');
    this.#chunk = chunk;
    this.#at = 0;
    this.#end = length;
  }

  /** The bytes that were fed are about to change: keeps a copy of those that were not used. */
  keep(): void {
    if (this.#at === this.#end) return;
    // Not `slice`, which gives a view of a Buffer.
    this.#chunk = new Uint8Array(this.#chunk.subarray(this.#at, this.#end));
    this.#at = 0;
    this.#end = this.#chunk.length;
  }

  /** The next message, or null if more bytes are needed. @throws HsctlError('format'), and again at each later call. */
  next(): LinkMessage | null {
    if (this.#broken !== null) throw this.#broken;
    try {
      return this.#next();
    } catch (error) {
      if (error instanceof HsctlError) this.#broken = error;
      throw error;
    }
  }

  #next(): LinkMessage | null {
    if (this.#frame === null && !this.#takeHeader()) return null;
    const frame = this.#frame!;
    const beginsAt = this.#at;
    const available = Math.min(this.#bodyLeft, this.#end - beginsAt);
    if (available === 0) return null;
    this.#at += available;
    this.#bodyLeft -= available;
    if (this.#bodyLeft === 0) this.#frame = null;
    const message = this.#messageAt(beginsAt, frame.type);
    if (message !== null && frame.link !== 'both') this.#kind = frame.link;
    return message;
  }

  /** The message whose body, or a piece of it, lies from there up to where the decoder is; null if the body is not complete. */
  #messageAt(beginsAt: number, type: FrameType['type']): LinkMessage | null {
    if (isBinaryType(type) && this.#bodyLeft === 0 && this.#gathered === null) {
      const { buffer, byteOffset } = this.#chunk;
      if (this.#numbers.buffer !== buffer) this.#numbers = new DataView(buffer);
      return readBinary(type, this.#numbers, byteOffset + beginsAt);
    }
    const piece = this.#chunk.subarray(beginsAt, this.#at);
    if (type === 'batch' || type === 'hint') return { type, bytes: piece };
    const body = this.#gather(piece);
    return body === null ? null : parseBody(type, body);
  }

  /** Takes the header of the next frame, as far as it has come. */
  #takeHeader(): boolean {
    const wanted = FRAME_HEADER_BYTES - this.#headerFilled;
    const available = Math.min(wanted, this.#end - this.#at);
    for (let taken = 0; taken < available; taken += 1) {
      this.#header[this.#headerFilled + taken] = this.#chunk[this.#at + taken]!;
    }
    this.#at += available;
    this.#headerFilled += available;
    if (this.#headerFilled < FRAME_HEADER_BYTES) return false;
    const header = this.#header;
    const length = header[0]! + header[1]! * 0x100 + header[2]! * 0x1_0000 + header[3]! * 0x100_0000;
    const bodyBytes = length - 1;
    this.#frame = this.#checkFrame(header[4]!, bodyBytes);
    this.#headerFilled = 0;
    this.#bodyLeft = bodyBytes;
    return true;
  }

  #checkFrame(code: number, bodyBytes: number): FrameType {
    const frame = frameTypeByCode(code);
    if (frame === undefined) throw new HsctlError('format', `no message has the type ${code}`);
    if (this.#kind === null && !isFirst(frame)) {
      throw new HsctlError('format', `the first message is ${frame.type}, not a hello`);
    }
    if (this.#kind !== null && frame.link !== 'both' && frame.link !== this.#kind) {
      throw new HsctlError('format', `${frame.type} has no place on a ${this.#kind} link`);
    }
    if (bodyBytes < frame.least || bodyBytes > frame.most) {
      throw new HsctlError('format', `${frame.type}: ${bodyBytes} bytes, allowed are ${frame.least} to ${frame.most}`);
    }
    return frame;
  }

  /** The whole body if `piece` completes it. */
  #gather(piece: Uint8Array): Uint8Array | null {
    const whole = this.#bodyLeft === 0;
    if (this.#gathered === null) {
      if (whole) return piece;
      this.#gathered = new Uint8Array(piece.length + this.#bodyLeft);
      this.#gathered.set(piece);
      return null;
    }
    const body = this.#gathered;
    body.set(piece, body.length - this.#bodyLeft - piece.length);
    if (!whole) return null;
    this.#gathered = null;
    return body;
  }
}

function isFirst(frame: FrameType): boolean {
  return frame.type === 'hello' || frame.type === 'peerHello' || frame.type === 'refusal';
}

function parseBody(type: Exclude<LinkMessage['type'], 'batch' | 'hint'>, body: Uint8Array): LinkMessage {
  switch (type) {
    case 'beat':
    case 'grant':
    case 'ack':
    case 'ping':
    case 'release':
      return readBinary(type, new DataView(body.buffer, body.byteOffset), 0);
    case 'hello':
    case 'report':
    case 'assign':
    case 'reload':
    case 'reloaded':
    case 'peerHello':
    case 'attach':
    case 'segment':
    case 'refusal':
      return readJson(type, body);
  }
}

function readJson(type: JsonMessage['type'], body: Uint8Array): LinkMessage {
  let content: unknown;
  try {
    content = JSON.parse(utf8.decode(body));
  } catch {
    throw new HsctlError('format', `${type}: not JSON in UTF-8`);
  }
  const result = JSON_SCHEMAS[type].safeParse(content);
  if (!result.success) {
    const [issue] = result.error.issues;
    const place = issue === undefined ? '' : ` ${issue.path.join('.')}: ${issue.message}`;
    throw new HsctlError('format', `${type}:${place.slice(0, 300)}`);
  }
  return { type, ...result.data } as LinkMessage;
}
