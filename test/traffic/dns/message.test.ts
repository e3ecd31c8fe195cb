import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nameBytes, queryMessage, readAnswer, TYPE, updateMessage } from '../../../src/traffic/dns/message.ts';
import { parseKey } from '../../../src/traffic/dns/key.ts';
import { sign, verify } from '../../../src/traffic/dns/tsig.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const KEY = parseKey(`hmac-sha256:hsctl:${Buffer.alloc(32, 7).toString('base64')}`);

describe('messages of name servers', () => {
  it('are laid out as RFC 1035 has them', () => {
    assert.equal(
      hex(queryMessage(0x1234, 'a.example.', TYPE.AAAA)),
      '1234 0000 0001 0000 0000 0000 0161 076578616d706c65 00 001c 0001'.replaceAll(' ', ''),
    );
  });

  it('are laid out as RFC 2136 has updates', () => {
    const name = 'a.b.';
    const removal = { name, type: TYPE.A, class: 255, ttl: 0, data: new Uint8Array() };
    const addition = { name, type: TYPE.A, class: 1, ttl: 70_000, data: Uint8Array.of(10, 0, 0, 1) };
    assert.equal(
      hex(updateMessage(1, 'b.', [removal, addition])),
      (
        '0001 2800 0001 0000 0002 0000 0162 00 0006 0001 0161 0162 00 0001 00ff 00000000 0000' +
        '0161 0162 00 0001 0001 00011170 0004 0a000001'
      ).replaceAll(' ', ''),
    );
  });

  it('refuse names that cannot be', () => {
    for (const name of ['a..b', `${'x'.repeat(64)}.b`, `${'abcdefg.'.repeat(32)}b`]) {
      assert.throws(() => nameBytes(name), { name: 'HsctlError' }, name);
    }
    assert.equal(hex(nameBytes('.')), '00');
  });

  it('are read with names that refer to others', () => {
    const answer = Buffer.from(
      '0007 8580 0001 0001 0000 0000 0161 0162 00 0001 0001 c00c 0001 0001 00000005 0004 0a000001'.replaceAll(' ', ''),
      'hex',
    );
    const read = readAnswer(answer);
    assert.deepEqual(
      [read.id, read.isResponse, read.authoritative, read.rcode, read.answers[0]?.name, read.answers[0]?.ttl],
      [7, true, true, 0, 'a.b.', 5],
    );
  });

  it('that refer to themselves are refused', () => {
    const circle = Buffer.from('000785800001000000000000c00c00010001', 'hex');
    assert.throws(() => readAnswer(circle), { message: /leads in circles/ });
  });

  it('that are cut or changed give an error and nothing else', () => {
    const { bytes } = sign(updateMessage(9, 'b.', []), KEY, 1_700_000_000);
    for (let length = 0; length < bytes.length; length += 1) {
      assert.throws(() => readAnswer(bytes.subarray(0, length)), { name: 'HsctlError' });
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (noise) => {
        try {
          readAnswer(noise);
        } catch (error) {
          assert.equal((error as Error).name, 'HsctlError');
        }
      }),
      { numRuns: 5000 },
    );
  });
});

describe('signatures', () => {
  const message = updateMessage(9, 'b.', []);

  it('are made over the message and what stands beside the signature, as RFC 8945 has it', () => {
    const { bytes, mac } = sign(message, KEY, 0x0001_0203_0405);
    const beside = '05687363746c00 00ff 00000000 0b686d61632d73686132353600 000102030405 012c 0000 0000'.replaceAll(
      ' ',
      '',
    );
    const expected = createHmac('sha256', Buffer.alloc(32, 7)).update(message).update(beside, 'hex').digest('hex');
    assert.equal(hex(mac), expected);
    const record = `05687363746c00 00fa 00ff 00000000 003d 0b686d61632d73686132353600 000102030405 012c 0020 ${expected} 0009 0000 0000`;
    const counted = `${hex(message).slice(0, 20)}0001${hex(message).slice(24)}`;
    assert.equal(hex(bytes), counted + record.replaceAll(' ', ''));
  });

  it('of an answer hold for this question, this key and this time only', () => {
    const nowS = 1_700_000_000;
    const request = sign(message, KEY, nowS);
    // The signature of an answer without that of its question before it is what `sign` makes.
    const foreign = sign(message, KEY, nowS);
    assert.throws(() => verify(foreign.bytes, readAnswer(foreign.bytes), request.mac, KEY, nowS), /signed wrongly/);
    assert.equal(verify(message, readAnswer(message), request.mac, KEY, nowS), null);
  });
});

describe('key files', () => {
  const secret = Buffer.alloc(32, 7).toString('base64');

  it('are read as the tools of BIND and Knot DNS write them', () => {
    const bind = parseKey(`key "Hsctl.Example" {\n\talgorithm hmac-sha512;\n\tsecret "${secret}";\n};\n`);
    assert.deepEqual([bind.name, bind.algorithm, bind.hash], ['hsctl.example.', 'hmac-sha512.', 'sha512']);
    const knot = parseKey(
      `# hmac-sha256:hsctl.:${secret}\nkey:\n  - id: hsctl.\n    algorithm: hmac-sha256\n    secret: ${secret}\n`,
    );
    assert.deepEqual([knot.name, knot.hash, Buffer.from(knot.secret)], ['hsctl.', 'sha256', Buffer.alloc(32, 7)]);
  });

  it('that are not usable are refused, without the secret in the message', () => {
    for (const [text, expected] of [
      ['', /no key found/],
      [`hmac-md5:k:${secret}`, /algorithm is hmac-md5/],
      ['hmac-sha256:k:c2hvcnQ=', /no base64 of 16 bytes/],
      [`key "k" { algorithm hmac-sha256; secret "!!${secret}"; };`, /no base64 of 16 bytes/],
    ] as const) {
      assert.throws(
        () => parseKey(text),
        (error: Error) =>
          expected.test(error.message) && !error.message.includes(secret) && error.name === 'HsctlError',
      );
    }
  });
});
