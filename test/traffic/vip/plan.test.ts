import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { announceCommand, recognizeArping } from '../../../src/traffic/vip/announce.ts';
import {
  addressOutlivesLeaseMs,
  dropLine,
  kernelLifetimeS,
  parseVirtualAddress,
  routeFaults,
  showLine,
  shownPrefixLengths,
  setRouteLines,
  takeLine,
  unsetRouteLines,
} from '../../../src/traffic/vip/plan.ts';

const V4 = parseVirtualAddress('10.0.0.100/32', 'eth0');
const V6 = parseVirtualAddress('2001:DB8:0::100/128', 'eth0');

describe('parseVirtualAddress', () => {
  it('reads both families', () => {
    const usual = { interface: 'eth0', label: 'eth0:hs', routes: [], rules: [] };
    assert.deepEqual(V4, { address: '10.0.0.100', prefixLength: 32, family: 4, ...usual });
    assert.deepEqual(V6, { address: '2001:db8::100', prefixLength: 128, family: 6, ...usual });
  });

  it('refuses anything else, above all what would be more words or lines for ip', () => {
    for (const text of ['10.0.0.100', '10.0.0.100/33', '10.0.0/24', 'host/32', '::1/129', '10.0.0.1/32 dev lo', '']) {
      assert.throws(() => parseVirtualAddress(text, 'eth0'), { name: 'HsctlError', code: 'config' }, text);
    }
    for (const name of ['', 'eth 0', 'eth0\naddr flush', 'a/b', 'eth0:1', 'sixteen-letters-']) {
      assert.throws(() => parseVirtualAddress('10.0.0.100/32', name), { name: 'HsctlError', code: 'config' }, name);
    }
  });
});

describe('lines for ip', () => {
  it('set a lifetime, a label and no route', () => {
    assert.equal(
      takeLine(V4, 3),
      'addr replace 10.0.0.100/32 dev eth0 label eth0:hs noprefixroute valid_lft 3 preferred_lft 3',
    );
    assert.equal(
      takeLine(V6, 3),
      'addr replace 2001:db8::100/128 dev eth0 nodad noprefixroute valid_lft 3 preferred_lft 0',
    );
    assert.equal(dropLine(V4), 'addr del 10.0.0.100/32 dev eth0');
    assert.equal(dropLine(V4, 24), 'addr del 10.0.0.100/24 dev eth0');
    assert.equal(showLine(V6), 'addr show dev eth0 to 2001:db8::100');
  });

  it('go without a label where it would be too long for the kernel', () => {
    const line = (name: string): string => takeLine(parseVirtualAddress('10.0.0.100/32', name), 1);
    assert.match(line('enp0s31f6abc'), /label enp0s31f6abc:hs /);
    assert.doesNotMatch(line('enp0s31f6abcd'), /label/);
  });

  it('have the label, the routes and the rules of the configuration', () => {
    const vip = parseVirtualAddress('10.0.0.100/32', 'eth0', {
      label: 'eth0:web',
      routes: ['default via 10.0.0.1 src 10.0.0.100 table 100'],
      rules: ['from 10.0.0.100 table 100'],
    });
    assert.match(takeLine(vip, 3), / label eth0:web /);
    assert.deepEqual(setRouteLines(vip), [
      'route replace default via 10.0.0.1 src 10.0.0.100 table 100',
      'rule add from 10.0.0.100 table 100',
    ]);
    assert.deepEqual(unsetRouteLines(vip), [
      'rule del from 10.0.0.100 table 100',
      'route del default via 10.0.0.1 src 10.0.0.100 table 100',
    ]);
  });

  it('may find a rule there already, and nothing else', () => {
    const present = ['RTNETLINK answers: File exists', 'Command failed -:7'];
    const wrong = ['Error: Nexthop has invalid gateway.', 'Command failed -:8'];
    assert.deepEqual(routeFaults(present), []);
    assert.deepEqual(routeFaults([...present, ...wrong]), wrong);
    assert.deepEqual(routeFaults([]), []);
  });

  it('are read back, whatever the prefix length', () => {
    const shown = [
      '3: v0@v1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000',
      '    inet 10.0.0.100/32 scope global dynamic noprefixroute eth0:hs',
      '       valid_lft 3sec preferred_lft 3sec',
      '    inet 10.0.0.100 peer 10.0.0.1/24 scope global eth0',
      '    inet 10.0.0.10/16 scope global eth0',
    ];
    assert.deepEqual(shownPrefixLengths(V4, shown), [32, 24]);
    assert.deepEqual(shownPrefixLengths(V4, []), []);
    assert.deepEqual(shownPrefixLengths(V6, ['    inet6 2001:db8::100/64 scope global deprecated ']), [64]);
  });
});

describe('lifetimes', () => {
  it('are whole seconds, never longer than the lease but for its last second', () => {
    assert.deepEqual([1, 999, 1000, 1999, 2000, 15_000].map(kernelLifetimeS), [1, 1, 1, 1, 2, 15]);
  });

  it('tell how long an address may outlive its lease', () => {
    assert.deepEqual([200, 1000, 1500, 3000].map(addressOutlivesLeaseMs), [1050, 250, 0, 250]);
  });
});

describe('announcements', () => {
  it('know the programs that are called arping', () => {
    assert.equal(recognizeArping('ARPing 2.23, by Thomas Habets <thomas@habets.se>'), 'habets');
    assert.equal(recognizeArping('arping from iputils 20221126'), 'iputils');
    assert.equal(recognizeArping('BusyBox v1.35.0 (Debian 1:1.35.0-4) multi-call binary.'), 'iputils');
    assert.equal(recognizeArping(''), null);
  });

  it('use the flags of the one that is there', () => {
    const both = { arping: 'habets', ndptool: true } as const;
    assert.equal(announceCommand(V4, both)?.join(' '), 'arping -U -c 1 -i eth0 -S 10.0.0.100 10.0.0.100');
    assert.equal(announceCommand(V4, { ...both, arping: 'iputils' })?.join(' '), 'arping -U -c 1 -I eth0 10.0.0.100');
    assert.equal(announceCommand(V6, both)?.join(' '), 'ndptool -i eth0 -t na -U -T 2001:db8::100 send');
    const none = { arping: null, ndptool: false };
    assert.deepEqual([announceCommand(V4, none), announceCommand(V6, none)], [null, null]);
  });
});
