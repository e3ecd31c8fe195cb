import { HsctlError } from '../../kit/errors.ts';
import type { Ack, Beat, Grant, Ping, Release } from './messages.ts';

/**
 * Fixed layouts of the frequent messages, little-endian; every number is an f64, flags are one byte.
 *   beat     sentAtMs, epoch, endSeq, confirmedSeq, peerSilentMs, flags (bit 0: wantsLease)
 *   grant    echoedSentAtMs, epoch, leaseMs, lingerMs
 *   ack      epoch, seq
 *   ping     sentAtMs, epoch, confirmedSeq, flags (bit 0: wantsLease)
 *   release  renouncedEpoch
 */
export type BinaryMessage = Beat | Grant | Ack | Ping | Release;

/** Writes the body of `message` at `offset`, which must have room for it. */
export function writeBinary(message: BinaryMessage, into: DataView, offset: number): void {
  const put = (index: number, value: number): void => into.setFloat64(offset + 8 * index, value, true);
  switch (message.type) {
    case 'beat':
      put(0, message.sentAtMs);
      put(1, message.epoch);
      put(2, message.endSeq);
      put(3, message.confirmedSeq);
      put(4, message.peerSilentMs);
      into.setUint8(offset + 40, message.wantsLease ? 1 : 0);
      break;
    case 'grant':
      put(0, message.echoedSentAtMs);
      put(1, message.epoch);
      put(2, message.leaseMs);
      put(3, message.lingerMs);
      break;
    case 'ack':
      put(0, message.epoch);
      put(1, message.seq);
      break;
    case 'ping':
      put(0, message.sentAtMs);
      put(1, message.epoch);
      put(2, message.confirmedSeq);
      into.setUint8(offset + 24, message.wantsLease ? 1 : 0);
      break;
    case 'release':
      put(0, message.renouncedEpoch);
      break;
  }
}

/** Reads a body of exactly the length that its frame type demands. @throws HsctlError('format') */
export function readBinary(type: BinaryMessage['type'], body: Uint8Array): BinaryMessage {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const time = (index: number, field: string): number => finite(view.getFloat64(8 * index, true), type, field);
  const count = (index: number, field: string): number => whole(view.getFloat64(8 * index, true), type, field);
  switch (type) {
    case 'beat':
      return {
        type,
        sentAtMs: time(0, 'sentAtMs'),
        epoch: count(1, 'epoch'),
        endSeq: count(2, 'endSeq'),
        confirmedSeq: count(3, 'confirmedSeq'),
        peerSilentMs: time(4, 'peerSilentMs'),
        wantsLease: flag(view.getUint8(40), type),
      };
    case 'grant':
      return {
        type,
        echoedSentAtMs: time(0, 'echoedSentAtMs'),
        epoch: count(1, 'epoch'),
        leaseMs: duration(view, 2, 'leaseMs'),
        lingerMs: duration(view, 3, 'lingerMs'),
      };
    case 'ack':
      return { type, epoch: count(0, 'epoch'), seq: count(1, 'seq') };
    case 'ping':
      return {
        type,
        sentAtMs: time(0, 'sentAtMs'),
        epoch: count(1, 'epoch'),
        confirmedSeq: count(2, 'confirmedSeq'),
        wantsLease: flag(view.getUint8(24), type),
      };
    case 'release':
      return { type, renouncedEpoch: count(0, 'renouncedEpoch') };
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

function duration(view: DataView, index: number, field: string): number {
  const value = finite(view.getFloat64(8 * index, true), 'grant', field);
  if (value >= 0) return value;
  throw new HsctlError('format', `grant: ${field} is ${value}, below 0`);
}

function flag(value: number, type: string): boolean {
  if (value <= 1) return value === 1;
  throw new HsctlError('format', `${type}: flags 0x${value.toString(16)} are not known`);
}
