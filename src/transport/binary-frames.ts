import type { Socket } from 'node:net';
import { type BinaryMessage, writeBinary } from '../protocol/link/binary.ts';
import { newBinaryFrame } from '../protocol/link/encode.ts';
import { FRAME_HEADER_BYTES } from '../protocol/link/frames.ts';

interface BinaryFrame {
  readonly bytes: Buffer;
  readonly body: DataView;
}

/**
 * A controller of a thousand groups grants ten thousand leases a second, each on another link. Messages of fixed layout are
 * written into one frame for each type, for all links, over and over: the kernel has mostly taken it when a write returns.
 */
const frames = new Map<BinaryMessage['type'], BinaryFrame>();

/** Writes a message of fixed layout to a socket. */
export function sendBinary(socket: Socket, message: BinaryMessage): void {
  const { bytes, body } = frameFor(message.type);
  writeBinary(message, body, 0);
  socket.write(bytes);
  // Some of it is still to be taken: it stays as it is, and the next message gets another frame.
  if (socket.writableLength > 0) frames.delete(message.type);
}

function frameFor(type: BinaryMessage['type']): BinaryFrame {
  const known = frames.get(type);
  if (known !== undefined) return known;
  const { buffer } = newBinaryFrame(type);
  const frame = { bytes: Buffer.from(buffer), body: new DataView(buffer, FRAME_HEADER_BYTES) };
  frames.set(type, frame);
  return frame;
}
