import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { NodeView } from '../../../src/agent/resp/node-view.ts';
import type { AgentReport } from '../../../src/model/agent-report.ts';
import { REPORT, startService } from './harness.ts';

const MiB = 1024 * 1024;

/** A node that remembers its rate, with a catch-up as told. */
function nodeWith(catchUp: AgentReport['peer']['catchUp'] = null): NodeView {
  return {
    group: 'world',
    node: 'a',
    peer: { node: 'b', host: '127.0.0.1', port: 7402 },
    report: () => ({ ...REPORT, peer: { ...REPORT.peer, catchUp } }),
    catchUpRate: 100 * MiB,
    setCatchUpRate(rate) {
      Object.assign(this, { catchUpRate: rate });
    },
  };
}

void suite('the pace of catch-ups', () => {
  void test('is told and changed by CONFIG', async (t) => {
    const node = nodeWith();
    const { connect } = await startService(t, { node });
    const client = connect();
    assert.deepEqual(await client.ask('CONFIG', 'GET', 'catch-up-*'), ['catch-up-rate', '100MiB/s']);
    for (const [text, rate] of [
      ['20MiB/s', 20 * MiB],
      ['64KiB/s', 64 * 1024],
      ['unlimited', null],
    ] as const) {
      assert.equal(await client.ask('config', 'set', 'Catch-Up-Rate', text), 'OK');
      assert.equal(node.catchUpRate, rate);
      assert.deepEqual(await client.ask('CONFIG', 'GET', 'catch-up-rate'), ['catch-up-rate', text]);
    }
  });

  void test('stays as it is when it is none', async (t) => {
    const node = nodeWith();
    const { connect } = await startService(t, { node });
    const client = connect();
    for (const text of [
      '',
      '100',
      '100MiB',
      '0B/s',
      '63KiB/s',
      '-1MiB/s',
      'fast',
      '9'.repeat(400),
      'x'.repeat(100_000),
    ]) {
      assert.match(
        await client.text('CONFIG', 'SET', 'catch-up-rate', text),
        /^-ERR CONFIG SET failed - /,
        text.slice(0, 20),
      );
    }
    for (const words of [
      ['maxmemory', '1'],
      ['catch-up-rate', '1MiB/s', 'save', ''],
    ]) {
      assert.match(await client.text('CONFIG', 'SET', ...words), /^-ERR only catch-up-rate can be set here/);
    }
    assert.equal(node.catchUpRate, 100 * MiB);
  });
});

void suite('a catch-up in INFO', () => {
  for (const [what, catchUp, expected] of [
    [
      'that is under way',
      { doneBytes: 30 * MiB, totalBytes: 100 * MiB, bytesPerSecond: 20 * MiB },
      [30 * MiB, 100 * MiB, 20 * MiB, 4],
    ],
    ['that stands still', { doneBytes: 30, totalBytes: 100, bytesPerSecond: 0 }, [30, 100, 0, -1]],
    ['that is none', null, [0, 0, 0, -1]],
  ] as const) {
    void test(what, async (t) => {
      const { connect } = await startService(t, { node: nodeWith(catchUp) });
      const info = await connect().text('INFO', 'hsctl');
      const field = (name: string): string | undefined => new RegExp(`^${name}:(.*)\\r$`, 'm').exec(info)?.[1];
      const names = ['done_bytes', 'total_bytes', 'bytes_per_second', 'seconds_left'];
      assert.deepEqual(
        names.map((name) => field(`catch_up_${name}`)),
        expected.map(String),
      );
      assert.equal(field('catch_up_rate'), '100MiB/s');
    });
  }
});
