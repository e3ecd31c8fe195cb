/**
 * Messages of the domain name system (RFC 1035) as far as a name that follows the master needs them: questions, updates
 * (RFC 2136) and what a server answers to them. Pure. Names are lower-case text that ends in a dot.
 */

import { HsctlError } from '../../kit/errors.ts';

export const TYPE = { A: 1, CNAME: 5, SOA: 6, AAAA: 28, TSIG: 250 } as const;
export const CLASS = { IN: 1, NONE: 254, ANY: 255 } as const;
export const HEADER_BYTES = 12;

const UPDATE_FLAGS = 5 << 11;
const LABEL_MAX_BYTES = 63;
const NAME_MAX_BYTES = 255;
/** Where a name may jump to another place of the message, so many times at most. */
const MAX_JUMPS = 32;

export interface DnsRecord {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  readonly data: Uint8Array;
  /** Where it begins in its message, and where its data do; 0 in messages that are yet to be written. */
  readonly offset: number;
  readonly dataOffset: number;
}

export interface DnsAnswer {
  readonly id: number;
  readonly isResponse: boolean;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly rcode: number;
  readonly answers: readonly DnsRecord[];
  readonly additional: readonly DnsRecord[];
}

/** A name as in messages: lower case, uncompressed. @throws HsctlError('config') for a name that cannot be. */
export function nameBytes(name: string): Uint8Array {
  const labels = name === '.' ? [] : name.replace(/\.$/, '').split('.');
  const bytes = labels.flatMap((label) => [
    label.length,
    ...Array.from(label.toLowerCase(), (letter) => letter.charCodeAt(0)),
  ]);
  const fits = labels.every((label) => label.length > 0 && label.length <= LABEL_MAX_BYTES);
  if (!fits || bytes.length + 1 > NAME_MAX_BYTES)
    throw new HsctlError('config', `${JSON.stringify(name)} is no domain name`);
  return Uint8Array.from([...bytes, 0]);
}

/** A question for the records of one type, to a server that has them itself. */
export function queryMessage(id: number, name: string, type: number): Uint8Array {
  return joined([uint16(id, 0, 1, 0, 0, 0), nameBytes(name), uint16(type, CLASS.IN)]);
}

/**
 * A change in a zone: records to add (class IN), to remove (class NONE), or sets of them to remove (class ANY, no data). All
 * of it or nothing is done.
 */
export function updateMessage(
  id: number,
  zone: string,
  records: readonly Pick<DnsRecord, 'name' | 'type' | 'class' | 'ttl' | 'data'>[],
): Uint8Array {
  return joined([
    uint16(id, UPDATE_FLAGS, 1, 0, records.length, 0),
    nameBytes(zone),
    uint16(TYPE.SOA, CLASS.IN),
    ...records.map(recordBytes),
  ]);
}

export function recordBytes(record: Pick<DnsRecord, 'name' | 'type' | 'class' | 'ttl' | 'data'>): Uint8Array {
  const { name, type, class: kind, ttl, data } = record;
  return joined([nameBytes(name), uint16(type, kind, ttl >>> 16, ttl & 0xffff, data.length), data]);
}

/** @throws HsctlError('format') for anything but a whole message. */
export function readAnswer(bytes: Uint8Array): DnsAnswer {
  const reader = new Reader(bytes);
  const [id, flags, questions, answers, authority, additional] = [0, 1, 2, 3, 4, 5].map(() => reader.uint16()) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  for (let index = 0; index < questions; index += 1) {
    reader.name();
    reader.skip(4);
  }
  const records = (count: number): DnsRecord[] => {
    const read: DnsRecord[] = [];
    // Each takes bytes, so that a count that lies meets the end of the message.
    for (let index = 0; index < count; index += 1) read.push(reader.record());
    return read;
  };
  const found = { answers: records(answers), authority: records(authority), additional: records(additional) };
  return {
    id,
    isResponse: (flags & 0x8000) !== 0,
    authoritative: (flags & 0x0400) !== 0,
    truncated: (flags & 0x0200) !== 0,
    rcode: flags & 0xf,
    answers: found.answers,
    additional: found.additional,
  };
}

/** Reads the bytes of a message from some place on; names in it may refer to other places. */
export class Reader {
  readonly #bytes: Uint8Array;
  offset: number;

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes;
    this.offset = offset;
  }

  uint16(): number {
    const [high = 0, low = 0] = this.take(2);
    return (high << 8) | low;
  }

  uint32(): number {
    return this.uint16() * 0x1_0000 + this.uint16();
  }

  uint48(): number {
    return this.uint16() * 0x1_0000_0000 + this.uint32();
  }

  skip(count: number): void {
    this.take(count);
  }

  take(count: number): Uint8Array {
    if (this.offset + count > this.#bytes.length) throw malformed('it ends too early');
    this.offset += count;
    return this.#bytes.subarray(this.offset - count, this.offset);
  }

  name(): string {
    const labels: string[] = [];
    let [jumps, length, behind] = [0, 1, -1];
    for (;;) {
      const [size = 0] = this.take(1);
      if (size === 0) break;
      if (size >= 0xc0) {
        const [low = 0] = this.take(1);
        if (behind === -1) behind = this.offset;
        jumps += 1;
        if (jumps > MAX_JUMPS) throw malformed('a name leads in circles');
        this.offset = ((size & 0x3f) << 8) | low;
        continue;
      }
      length += size + 1;
      if (size > LABEL_MAX_BYTES || length > NAME_MAX_BYTES) throw malformed('a name is too long');
      labels.push(String.fromCharCode(...this.take(size)).toLowerCase());
    }
    if (behind !== -1) this.offset = behind;
    return `${labels.join('.')}.`;
  }

  record(): DnsRecord {
    const { offset } = this;
    const name = this.name();
    const [type, kind, ttl, size] = [this.uint16(), this.uint16(), this.uint32(), this.uint16()];
    const dataOffset = this.offset;
    return { name, type, class: kind, ttl, data: this.take(size), offset, dataOffset };
  }
}

export function uint16(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [value >>> 8, value & 0xff]));
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function malformed(why: string): HsctlError {
  return new HsctlError('format', `not a message of a name server: ${why}`);
}
