import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { closeGate, openGate, tableName } from '../../../src/traffic/gate/plan.ts';

describe('tableName', () => {
  it('keeps plain names readable', () => {
    assert.equal(tableName('world', 'a'), 'hsctl__world__a');
    assert.equal(tableName('my-world', 'tcp', '10.0.0.100', 9000), 'hsctl__my-world__tcp__10.0.0.100__9000');
  });

  it('has no two names meet', () => {
    const parts = [['a', 'b'], ['a_', 'b'], ['a', '_b'], ['a__b'], ['a_5f', 'b'], ['a', 'b;'], ['ü'], ['2001:db8::1']];
    assert.equal(new Set(parts.map((part) => tableName(...part))).size, parts.length);
    for (const part of parts) assert.match(tableName(...part), /^[A-Za-z][A-Za-z0-9._-]*$/);
  });
});

describe('gates', () => {
  const node = { table: 'hsctl__world__a', place: 'node', address: null, port: 9000 } as const;

  it('on a node drops the first packets of new connections to the app', () => {
    assert.equal(
      closeGate(node),
      `add table inet hsctl__world__a
delete table inet hsctl__world__a
add table inet hsctl__world__a
add chain inet hsctl__world__a arriving { type filter hook input priority -10; policy accept; }
add rule inet hsctl__world__a arriving tcp dport 9000 tcp flags & (syn | ack) == syn drop
`,
    );
    assert.equal(openGate(node), 'add table inet hsctl__world__a\ndelete table inet hsctl__world__a\n');
  });

  it('on a director drops those to the virtual address, passing through or made there', () => {
    const text = closeGate({ table: 't', place: 'director', address: '2001:db8::1', port: 9000 });
    const rule = 'ip6 daddr 2001:db8::1 tcp dport 9000 tcp flags & (syn | ack) == syn drop';
    assert.ok(
      text.includes('add chain inet t arriving { type filter hook prerouting priority -150; policy accept; }\n'),
    );
    assert.ok(text.includes(`add rule inet t arriving ${rule}\n`));
    assert.ok(text.includes(`add rule inet t local ${rule}\n`));
  });

  it('on a director drops what carries a mark of its IP version, after it was marked', () => {
    const text = closeGate({ table: 't', place: 'director', address: '2001:db8::1', port: 9000, mark: 7 });
    assert.ok(text.includes('hook prerouting priority -140;') && text.includes('hook output priority -140;'));
    const rule = 'meta nfproto ipv6 meta mark 7 tcp flags & (syn | ack) == syn drop';
    assert.ok(text.includes(`add rule inet t arriving ${rule}\n`));
  });
});
