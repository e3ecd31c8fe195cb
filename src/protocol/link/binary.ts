import { HsctlError } from '../../kit/errors.ts';
import type { Ack, Beat, Grant, LinkMessage, Ping, Release } from './messages.ts';

/**
 * Fixed layouts of the frequent messages, little-endian; every number is an f64, flags are one byte.
 *   beat     sentAtMs, epoch, endSeq, confirmedSeq, peerSilentMs, flags (bit 0: wantsLease)
 *   grant    echoedSentAtMs, epoch, leaseMs, lingerMs
 *   ack      epoch, seq
 *   ping     sentAtMs, epoch, confirmedSeq, flags (bit 0: wantsLease)
 *   release  renouncedEpoch
 */
export type BinaryMessage = Beat | Grant | Ack | Ping | Release;
type BinaryType = BinaryMessage['type'];

/** Whether messages of this type have a fixed layout. */
export function isBinaryType(type: LinkMessage['type']): type is BinaryType {
  return type === 'beat' || type === 'grant' || type === 'ack' || type === 'ping' || type === 'release';
}

export function isBinary(message: LinkMessage): message is BinaryMessage {
  return isBinaryType(message.type);
}

/** Writes the body of `message` at `at`, where there must be room for it. */
export function writeBinary(message: BinaryMessage, into: DataView, at: number): void {
  switch (message.type) {
    case 'beat':
      into.setFloat64(at, message.sentAtMs, true);
      into.setFloat64(at + 8, message.epoch, true);
      into.setFloat64(at + 16, message.endSeq, true);
      into.setFloat64(at + 24, message.confirmedSeq, true);
      into.setFloat64(at + 32, message.peerSilentMs, true);
      into.setUint8(at + 40, message.wantsLease ? 1 : 0);
      break;
    case 'grant':
      into.setFloat64(at, message.echoedSentAtMs, true);
      into.setFloat64(at + 8, message.epoch, true);
      into.setFloat64(at + 16, message.leaseMs, true);
      into.setFloat64(at + 24, message.lingerMs, true);
      break;
    case 'ack':
      into.setFloat64(at, message.epoch, true);
      into.setFloat64(at + 8, message.seq, true);
      break;
    case 'ping':
      into.setFloat64(at, message.sentAtMs, true);
      into.setFloat64(at + 8, message.epoch, true);
      into.setFloat64(at + 16, message.confirmedSeq, true);
      into.setUint8(at + 24, message.wantsLease ? 1 : 0);
      break;
    case 'release':
      into.setFloat64(at, message.renouncedEpoch, true);
      break;
  }
}

/** Reads the body at `at`, of exactly the length that its frame type demands. @throws HsctlError('format') */
export function readBinary(type: BinaryType, from: DataView, at: number): BinaryMessage {
  switch (type) {
    case 'beat':
      return {
        type,
        sentAtMs: finite(from.getFloat64(at, true), type, 'sentAtMs'),
        epoch: whole(from.getFloat64(at + 8, true), type, 'epoch'),
        endSeq: whole(from.getFloat64(at + 16, true), type, 'endSeq'),
        confirmedSeq: whole(from.getFloat64(at + 24, true), type, 'confirmedSeq'),
        peerSilentMs: finite(from.getFloat64(at + 32, true), type, 'peerSilentMs'),
        wantsLease: flag(from.getUint8(at + 40), type),
      };
    case 'grant':
      return {
        type,
        echoedSentAtMs: finite(from.getFloat64(at, true), type, 'echoedSentAtMs'),
        epoch: whole(from.getFloat64(at + 8, true), type, 'epoch'),
        leaseMs: duration(from.getFloat64(at + 16, true), type, 'leaseMs'),
        lingerMs: duration(from.getFloat64(at + 24, true), type, 'lingerMs'),
      };
    case 'ack':
      return {
        type,
        epoch: whole(from.getFloat64(at, true), type, 'epoch'),
        seq: whole(from.getFloat64(at + 8, true), type, 'seq'),
      };
    case 'ping':
      return {
        type,
        sentAtMs: finite(from.getFloat64(at, true), type, 'sentAtMs'),
        epoch: whole(from.getFloat64(at + 8, true), type, 'epoch'),
        confirmedSeq: whole(from.getFloat64(at + 16, true), type, 'confirmedSeq'),
        wantsLease: flag(from.getUint8(at + 24), type),
      };
    case 'release':
      return { type, renouncedEpoch: whole(from.getFloat64(at, true), type, 'renouncedEpoch') };
  }
}

function whole(value: number, type: string, field: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new HsctlError('format', `${type}: ${field} is ${value}, not a whole number from 0 to 2^53 - 1`);
}

function finite(value: number, type: string, field: string): number {
  if (Number.isFinite(value)) return value;
  throw new HsctlError('format', `${type}: ${field} is ${value}, not a time`);
}

function duration(value: number, type: string, field: string): number {
  if (finite(value, type, field) >= 0) return value;
  throw new HsctlError('format', `${type}: ${field} is ${value}, below 0`);
}

function flag(value: number, type: string): boolean {
  if (value <= 1) return value === 1;
  throw new HsctlError('format', `${type}: flags 0x${value.toString(16)} are not known`);
}
