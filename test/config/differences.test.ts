import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GroupConfig } from '../../src/config/config.ts';
import { groupDifferences, isSame, trafficDifferences, withFormer } from '../../src/config/differences.ts';
import { parseConfig } from '../../src/config/load.ts';

function groupOf(failover = '{}', more = ''): GroupConfig {
  const text = `
cluster: c
groups:
  world:
    nodes:
      a: { address: 127.0.0.1, control: 1, replication: 2, port: 5 }
      b: { address: 127.0.0.1, control: 3, replication: 4, port: 6 }
    failover: ${failover}
${more}`;
  const [group] = parseConfig(text, 'test').config.groups;
  assert.ok(group);
  return group;
}

describe('what two configurations say differently', () => {
  it('is told in the words and units of the file', () => {
    const before = groupOf();
    const after = groupOf(
      '{ lease: 2s, mode: manual }',
      '    replication: { segmentSize: 1MiB, catchUpRate: unlimited }\n',
    );
    const told = groupDifferences(before, after).map(({ key, before: from, after: to }) => `${key}: ${from} -> ${to}`);
    assert.deepEqual(told, [
      'replication.catchUpRate: 100MiB/s -> unlimited',
      'replication.segmentSize: 64MiB -> 1MiB',
      'failover.mode: auto -> manual',
      'failover.lease: 1s -> 2s',
    ]);
  });

  it('names the keys of probes, and tells a probe of another kind as a whole', () => {
    const told = (one: string, other: string): string[] => {
      const [before, after] = [one, other].map((probe) => groupOf('{}', `    app: { probe: ${probe} }\n`));
      assert.ok(before !== undefined && after !== undefined);
      return groupDifferences(before, after).map(({ key, before: from, after: to }) => `${key}: ${from} -> ${to}`);
    };
    assert.deepEqual(told('{ type: tls }', '{ type: tls, warnBefore: 30d, fall: 1 }'), [
      'app.probe.fall: 3 -> 1',
      'app.probe.warnBefore: 14d -> 30d',
    ]);
    const several = (port: number): string => `{ type: any, of: [{ type: ping }, { type: tcp, port: ${port} }] }`;
    assert.deepEqual(told(several(1), several(2)), ['app.probe.of[1].port: 1 -> 2']);
    const timing = 'interval: 1s, fastInterval: 1s, timeout: 500ms, fall: 3, rise: 2, from: both';
    assert.deepEqual(told('{ type: ping }', '{ type: tcp, port: 7 }'), [
      `app.probe: { type: ping, ${timing} } -> { type: tcp, ${timing}, port: 7 }`,
    ]);
  });

  it('is nothing for the same file', () => {
    assert.deepEqual(groupDifferences(groupOf(), groupOf()), []);
    assert.ok(isSame(groupOf(), groupOf()));
  });

  it('tells entries of traffic that are gone and new, wherever they stand', () => {
    const [one, two] = ['127.0.0.1:81', '127.0.0.1:82'].map((listen) => `{ type: proxy, listen: "${listen}" }`);
    const before = groupOf('{}', `    traffic: [${one}, ${two}]\n`).traffic;
    assert.deepEqual(trafficDifferences(before, before.toReversed()), { gone: [], added: [] });
    const after = groupOf('{}', `    traffic: [${two}]\n`).traffic;
    assert.deepEqual(trafficDifferences(before, after), { gone: [before[0]], added: [] });
  });

  it('keeps former values at given places, of nodes by their names', () => {
    const before = groupOf();
    const after: GroupConfig = {
      ...groupOf('{ lease: 2s }'),
      nodes: before.nodes.map((node) => ({ ...node, store: `/new/${node.id}`, control: 99 })),
    };
    const kept = withFormer(before, after, [
      ['nodes', 'b', 'store'],
      ['failover', 'leaseMs'],
    ]);
    assert.equal(kept.failover.leaseMs, before.failover.leaseMs);
    assert.deepEqual(
      kept.nodes.map(({ store, control }) => [store, control]),
      [
        ['/new/a', 99],
        [before.nodes[1]?.store, 99],
      ],
    );
  });
});
