/** IP addresses as bytes of packets and messages, and as canonical text. Pure. */

import { canonicalHost } from '../kit/address.ts';

/** 4 bytes of an address in its canonical text. */
export function ipv4Bytes(address: string): readonly number[] {
  return address.split('.').map(Number);
}

/** 16 bytes of an address in its canonical text. */
export function ipv6Bytes(address: string): readonly number[] {
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [first, last] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => '0');
  return [...first, ...zeros, ...last].flatMap((group) => {
    const word = Number.parseInt(group, 16);
    return [word >>> 8, word & 0xff];
  });
}

export function ipv4Text(bytes: Uint8Array): string {
  return bytes.join('.');
}

export function ipv6Text(bytes: Uint8Array): string {
  const words = Array.from({ length: bytes.length >>> 1 }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  );
  return canonicalHost(words.join(':'));
}
