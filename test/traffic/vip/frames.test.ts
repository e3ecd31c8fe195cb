import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { announcementFrames, probeFrame } from '../../../src/traffic/vip/frames.ts';
import { parseVirtualAddress } from '../../../src/traffic/vip/plan.ts';

const HARDWARE = [0x02, 0, 0, 0, 0, 0x0a];

/** Frames as hexadecimal; spaces in what is expected are for readers. */
const framesOf = (cidr: string): readonly string[] =>
  announcementFrames(parseVirtualAddress(cidr, 'eth0'), HARDWARE).map((frame) => Buffer.from(frame).toString('hex'));
const hex = (text: string): string => text.replaceAll(/\s/g, '');

describe('announcementFrames', () => {
  it('are a gratuitous ARP request and a reply, padded to the least length', () => {
    const ethernet = 'ffffffffffff 02000000000a 0806';
    const padding = '00'.repeat(18);
    assert.deepEqual(framesOf('10.0.0.100/32'), [
      hex(`${ethernet} 0001 0800 06 04 0001 02000000000a 0a000064 000000000000 0a000064 ${padding}`),
      hex(`${ethernet} 0001 0800 06 04 0002 02000000000a 0a000064 02000000000a 0a000064 ${padding}`),
    ]);
  });

  it('are an unsolicited neighbour advertisement that overrides what is known', () => {
    const address = '20010db8 00000000 00000000 00000100';
    assert.deepEqual(framesOf('2001:db8::100/128'), [
      hex(`333300000001 02000000000a 86dd
        60000000 0020 3a ff ${address} ff020000 00000000 00000000 00000001
        88 00 f723 20000000 ${address} 02 01 02000000000a`),
    ]);
  });

  it('have a checksum that makes the sum of all words all ones, for any address', () => {
    for (const cidr of ['::1/128', 'fe80::/128', '1:2:3:4:5:6:7:8/128', 'ffff:ffff::/128', 'fd77:0:0:1::100/128']) {
      const frame = Buffer.from(framesOf(cidr)[0] ?? '', 'hex');
      let sum = 58 + frame.readUInt16BE(18);
      for (let at = 22; at < frame.length; at += 2) sum += frame.readUInt16BE(at);
      assert.equal((sum & 0xffff) + (sum >>> 16), 0xffff, cidr);
      assert.deepEqual(frame.subarray(22, 38), frame.subarray(62, 78), `${cidr}: source and target are the address`);
    }
  });

  it('write every form of an IPv6 address out in full', () => {
    const targets = ['::', '::1', '1::', '1:2:3:4:5:6:7:8', 'a::b:0:c'].map((text) =>
      framesOf(`${text}/128`)[0]?.slice(2 * 62, 2 * 78),
    );
    assert.deepEqual(targets, [
      '00'.repeat(16),
      '00'.repeat(15) + '01',
      '0001' + '00'.repeat(14),
      '00010002000300040005000600070008',
      '000a' + '0000'.repeat(4) + '000b0000000c',
    ]);
  });
});

describe('probeFrame', () => {
  const probeOf = (cidr: string): Buffer => Buffer.from(probeFrame(parseVirtualAddress(cidr, 'eth0'), HARDWARE));

  it('is an ARP request from nobody, so that nobody learns from it', () => {
    assert.equal(
      probeOf('10.0.0.100/32').toString('hex'),
      hex(`ffffffffffff 02000000000a 0806 0001 0800 06 04 0001 02000000000a 00000000 000000000000 0a000064`) +
        '00'.repeat(18),
    );
  });

  it('is a neighbour solicitation from nobody, to the group of those who may have the address', () => {
    const frame = probeOf('2001:db8::1:2233/128');
    assert.equal(
      frame.toString('hex'),
      hex(`3333ff012233 02000000000a 86dd 60000000 0018 3a ff ${'00'.repeat(16)} ff020000 00000000 00000001 ff012233
        87 00 ${frame.toString('hex', 56, 58)} 00000000 20010db8 00000000 00000000 00012233`),
    );
    let sum = 58 + frame.readUInt16BE(18);
    for (let at = 22; at < frame.length; at += 2) sum += frame.readUInt16BE(at);
    assert.equal((sum & 0xffff) + (sum >>> 16), 0xffff);
  });
});
