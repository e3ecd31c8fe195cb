import { HsctlError } from '../../kit/errors.ts';
import { type BinaryMessage, writeBinary } from './binary.ts';
import { FRAME_HEADER_BYTES, type FrameType, frameTypeOf } from './frames.ts';
import type { LinkMessage } from './messages.ts';

/** A frame ready to be sent. `payload` goes behind `head`, uncopied: it must not change until it is sent. */
export interface EncodedFrame {
  readonly head: Uint8Array;
  /** Only for `batch` and `hint`: the very bytes of the message. */
  readonly payload: Uint8Array | null;
}

const utf8 = new TextEncoder();

/** The frame of a message. @throws HsctlError('format') if it is longer than its type allows. */
export function encodeMessage(message: LinkMessage): EncodedFrame {
  const frame = frameTypeOf(message.type);
  switch (message.type) {
    case 'batch':
    case 'hint':
      return { head: newFrame(frame, message.bytes.length, 0), payload: message.bytes };
    case 'beat':
    case 'grant':
    case 'ack':
    case 'ping':
    case 'release': {
      const head = newBinaryFrame(message.type);
      writeBinary(message, new DataView(head.buffer), FRAME_HEADER_BYTES);
      return { head, payload: null };
    }
    case 'hello':
    case 'report':
    case 'assign':
    case 'reload':
    case 'reloaded':
    case 'peerHello':
    case 'attach':
    case 'segment':
    case 'refusal': {
      const { type: _, ...content } = message;
      const body = utf8.encode(JSON.stringify(content));
      const head = newFrame(frame, body.length, body.length);
      head.set(body, FRAME_HEADER_BYTES);
      return { head, payload: null };
    }
  }
}

/** The frame of a message of fixed layout, but for its body. */
export function newBinaryFrame(type: BinaryMessage['type']): Uint8Array {
  const frame = frameTypeOf(type);
  return newFrame(frame, frame.most, frame.most);
}

/** A buffer with the frame's header and room for `held` bytes of the body. */
function newFrame(frame: FrameType, bodyBytes: number, held: number): Uint8Array {
  if (bodyBytes < frame.least || bodyBytes > frame.most) {
    throw new HsctlError('format', `${frame.type}: ${bodyBytes} bytes, allowed are ${frame.least} to ${frame.most}`);
  }
  const head = new Uint8Array(FRAME_HEADER_BYTES + held);
  const length = bodyBytes + 1;
  head[0] = length;
  head[1] = length >>> 8;
  head[2] = length >>> 16;
  head[3] = length >>> 24;
  head[4] = frame.code;
  return head;
}
