import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalHost, formatEndpoint, isHost, isLoopback, isWildcard, parseEndpoint } from '../../src/kit/address.ts';

describe('addresses', () => {
  it('tells hosts from mistakes', () => {
    for (const host of ['10.0.0.1', '::1', 'fe80::1%eth0', 'localhost', 'node-1.example.org', 'a', '7realm.org', 'a_b'])
      assert.ok(isHost(host), host);
    for (const text of ['', '10.0.0.300', '10.0.0', '10.0.0.1:80', '-a', 'a..b', 'a b', 'a.', 'x'.repeat(64), '[::1]'])
      assert.ok(!isHost(text), text);
  });

  it('knows what stays on the machine', () => {
    for (const host of ['127.0.0.1', '127.9.9.9', '::1', '0:0:0:0:0:0:0:1', 'LocalHost', '::ffff:127.0.0.1'])
      assert.ok(isLoopback(host), host);
    for (const host of ['10.0.0.1', '0.0.0.0', '::', '128.0.0.1', '127.example.org', '::ffff:10.0.0.1'])
      assert.ok(!isLoopback(host), host);
  });

  it('knows the addresses that mean all', () => {
    assert.deepEqual(['0.0.0.0', '::', '0:0::0', '127.0.0.1', '::1'].map(isWildcard), [true, true, true, false, false]);
  });

  it('gives one text for each host', () => {
    assert.equal(canonicalHost('2001:DB8:0:0:0:0:0:1'), '2001:db8::1');
    assert.equal(canonicalHost('FE80:0::1%Eth0'), 'fe80::1%eth0');
    assert.equal(canonicalHost('::ffff:10.1.2.3'), '10.1.2.3');
    assert.equal(canonicalHost('::ffff:255.0.0.255'), '255.0.0.255');
    assert.equal(canonicalHost('Node.Example'), 'node.example');
  });
});

describe('endpoints', () => {
  it('reads host and port', () => {
    assert.deepEqual(parseEndpoint('10.0.0.10:7400'), { host: '10.0.0.10', port: 7400 });
    assert.deepEqual(parseEndpoint('[::1]:1'), { host: '::1', port: 1 });
    assert.deepEqual(parseEndpoint('db:65535'), { host: 'db', port: 65_535 });
  });

  for (const text of [
    '',
    '10.0.0.10',
    ':7400',
    '10.0.0.10:0',
    '10.0.0.10:65536',
    '::1:80',
    '[10.0.0.1]:80',
    '[::1]',
    'a:b',
  ])
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseEndpoint(text), null));

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 65_535 }), (host, port) => {
        assert.deepEqual(parseEndpoint(formatEndpoint({ host, port })), { host, port });
      }),
    );
  });
});
