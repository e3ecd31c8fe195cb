import type { LinkMessage } from './messages.ts';

/**
 * The frame around each message: u32 length of what follows (little-endian), u8 type, body. The type byte also
 * says how long the body may be, so that nobody can make the other side wait for, or hold, more than that.
 */
export const FRAME_HEADER_BYTES = 5;

/** Most bytes of a hint file, which the slave gathers: entries of 4 million records, and tables. */
export const HINT_LIMIT_BYTES = 64 * 1024 * 1024;

/** Most bytes of log in one `batch` frame, or of a hint file in one `hint` frame; longer stretches go in several. */
export const SLICE_LIMIT_BYTES = 1024 * 1024;

export type MessageType = LinkMessage['type'];

/** On which kind of link a message may come. */
export type LinkKind = 'control' | 'peer';

export interface FrameType {
  readonly type: MessageType;
  /** The type byte. Never reused for something else. */
  readonly code: number;
  readonly link: LinkKind | 'both';
  /** Length of the body in bytes. */
  readonly least: number;
  readonly most: number;
}

const HELLO_LIMIT_BYTES = 64 * 1024;
const STATE_LIMIT_BYTES = 1024 * 1024;

/** Every message type, once. */
export const FRAME_TYPES = [
  { type: 'hello', code: 1, link: 'control', least: 2, most: HELLO_LIMIT_BYTES },
  { type: 'report', code: 2, link: 'control', least: 2, most: STATE_LIMIT_BYTES },
  { type: 'beat', code: 3, link: 'control', least: 41, most: 41 },
  { type: 'grant', code: 4, link: 'both', least: 32, most: 32 },
  { type: 'assign', code: 5, link: 'control', least: 2, most: STATE_LIMIT_BYTES },
  { type: 'peerHello', code: 6, link: 'peer', least: 2, most: HELLO_LIMIT_BYTES },
  { type: 'attach', code: 7, link: 'peer', least: 2, most: HELLO_LIMIT_BYTES },
  { type: 'batch', code: 8, link: 'peer', least: 1, most: SLICE_LIMIT_BYTES },
  { type: 'ack', code: 9, link: 'peer', least: 16, most: 16 },
  { type: 'ping', code: 10, link: 'peer', least: 25, most: 25 },
  { type: 'release', code: 11, link: 'peer', least: 8, most: 8 },
  { type: 'reload', code: 13, link: 'control', least: 2, most: 1024 },
  { type: 'reloaded', code: 14, link: 'control', least: 2, most: STATE_LIMIT_BYTES },
  { type: 'segment', code: 15, link: 'peer', least: 2, most: 1024 },
  { type: 'hint', code: 16, link: 'peer', least: 1, most: SLICE_LIMIT_BYTES },
  { type: 'refusal', code: 12, link: 'both', least: 2, most: 8 * 1024 },
] as const satisfies readonly FrameType[];

const byCode = new Map<number, FrameType>(FRAME_TYPES.map((frame) => [frame.code, frame]));
const byType = new Map<MessageType, FrameType>(FRAME_TYPES.map((frame) => [frame.type, frame]));

/** The frame type with this type byte; undefined if there is none. */
export function frameTypeByCode(code: number): FrameType | undefined {
  return byCode.get(code);
}

/** The frame type of a message. */
export function frameTypeOf(type: MessageType): FrameType {
  return byType.get(type)!;
}
