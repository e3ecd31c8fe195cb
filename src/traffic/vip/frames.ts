/** The Ethernet frames that tell the neighbours which machine has an address now, and ask whether another has it. Pure. */

import { ipv4Bytes, ipv6Bytes } from '../packed-address.ts';
import type { VirtualAddress } from './plan.ts';

const BROADCAST = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
/** Ethernet's group for ff02::1, all nodes of the segment. */
const ALL_NODES_HARDWARE = [0x33, 0x33, 0, 0, 0, 1];
const ALL_NODES = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
/** Groups for those who may have an address, to which its last three bytes belong. */
const SOLICITED_HARDWARE = [0x33, 0x33, 0xff];
const SOLICITED = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff];
const UNSPECIFIED = Array.from({ length: 16 }, () => 0);
const UNKNOWN_HARDWARE = [0, 0, 0, 0, 0, 0];
const ETHERTYPE_ARP = [0x08, 0x06];
const ETHERTYPE_IPV6 = [0x86, 0xdd];
/** Ethernet with IPv4, addresses of 6 and 4 bytes. */
const ARP_KIND = [0, 1, 0x08, 0x00, 6, 4];
const ARP_REQUEST = [0, 1];
const ARP_REPLY = [0, 2];
/** Shorter frames are padded on the wire, which not every driver does by itself. */
const LEAST_FRAME_BYTES = 60;
const ICMPV6 = 58;
/** Receivers ignore advertisements with any less: those may have come through a router. */
const HOP_LIMIT = 255;
const NEIGHBOUR_SOLICITATION = 135;
const NEIGHBOUR_ADVERTISEMENT = 136;
/** Not asked for; replaces what the neighbours know. */
const OVERRIDE = [0x20, 0, 0, 0];
const TARGET_HARDWARE_OPTION = 2;

/**
 * The frame that asks whether another machine has the address, as who wants it does (RFC 5227, RFC 4862): nobody learns
 * anything from it, and who has the address answers.
 */
export function probeFrame(vip: VirtualAddress, hardware: readonly number[]): Uint8Array {
  if (vip.family === 6) return solicitation(ipv6Bytes(vip.address), hardware);
  return arp(ARP_REQUEST, [0, 0, 0, 0], hardware, UNKNOWN_HARDWARE, ipv4Bytes(vip.address));
}

/**
 * Frames, to be sent in this order, for a virtual address at that hardware address (6 bytes). For IPv4 a gratuitous ARP
 * request, which all must heed, and a reply, as some switches and old systems only take that; for IPv6 an unsolicited
 * neighbour advertisement.
 */
export function announcementFrames(vip: VirtualAddress, hardware: readonly number[]): readonly Uint8Array[] {
  if (vip.family === 6) return [advertisement(ipv6Bytes(vip.address), hardware)];
  const address = ipv4Bytes(vip.address);
  return [
    arp(ARP_REQUEST, address, hardware, UNKNOWN_HARDWARE, address),
    arp(ARP_REPLY, address, hardware, hardware, address),
  ];
}

function arp(
  operation: readonly number[],
  address: readonly number[],
  hardware: readonly number[],
  targetHardware: readonly number[],
  target: readonly number[],
): Uint8Array {
  const ethernet = [BROADCAST, hardware, ETHERTYPE_ARP].flat();
  const packet = [ARP_KIND, operation, hardware, address, targetHardware, target].flat();
  const frame = new Uint8Array(LEAST_FRAME_BYTES);
  frame.set([...ethernet, ...packet]);
  return frame;
}

function advertisement(address: readonly number[], hardware: readonly number[]): Uint8Array {
  const ethernet = [ALL_NODES_HARDWARE, hardware, ETHERTYPE_IPV6].flat();
  const message = (checksum: readonly number[]): readonly number[] =>
    [NEIGHBOUR_ADVERTISEMENT, 0, checksum, OVERRIDE, address, TARGET_HARDWARE_OPTION, 1, hardware].flat();
  return Uint8Array.from([...ethernet, ...icmp(address, ALL_NODES, message)]);
}

function solicitation(address: readonly number[], hardware: readonly number[]): Uint8Array {
  const last = address.slice(13);
  const ethernet = [SOLICITED_HARDWARE, last, hardware, ETHERTYPE_IPV6].flat();
  const message = (checksum: readonly number[]): readonly number[] =>
    [NEIGHBOUR_SOLICITATION, 0, checksum, [0, 0, 0, 0], address].flat();
  return Uint8Array.from([...ethernet, ...icmp(UNSPECIFIED, [...SOLICITED, ...last], message)]);
}

/** IPv6 header and an ICMPv6 message, given its text with whatever checksum. */
function icmp(
  from: readonly number[],
  to: readonly number[],
  message: (checksum: readonly number[]) => readonly number[],
): readonly number[] {
  const unsummed = message([0, 0]);
  const length = [0, unsummed.length];
  const pseudoHeader = [from, to, 0, 0, length, 0, 0, 0, ICMPV6].flat();
  const checksum = internetChecksum([...pseudoHeader, ...unsummed]);
  return [[0x60, 0, 0, 0], length, ICMPV6, HOP_LIMIT, from, to, message(checksum)].flat();
}

/** Of an even number of bytes, as IP has it: the complement of the sum of the 16-bit words in one's complement. */
function internetChecksum(bytes: readonly number[]): readonly number[] {
  let sum = 0;
  for (const [index, byte] of bytes.entries()) sum += index % 2 === 0 ? byte << 8 : byte;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  const checksum = ~sum & 0xffff;
  return [checksum >>> 8, checksum & 0xff];
}
