import assert from 'node:assert/strict';
import { test } from 'node:test';
import { History } from '../../../src/replication/log/history.ts';

type Kind = 'reign' | 'alone' | 'together';

/** Records 10, 20, 30 ... of these kinds. */
function of(...kinds: Kind[]): History {
  const history = new History();
  for (const [index, kind] of kinds.entries()) history.add({ seq: 10 * (index + 1), epoch: index + 1, kind });
  return history;
}

test('who was never alone confirmed nothing alone', () => {
  assert.equal(of('reign', 'together', 'reign', 'together').aloneTo(99), 0);
});

test('while alone everything to the end may be confirmed; then what came before the slave was named again', () => {
  assert.equal(of('reign', 'alone').aloneTo(99), 99);
  assert.equal(of('reign', 'alone', 'together').aloneTo(99), 29);
  assert.equal(of('reign', 'alone', 'together', 'together').aloneTo(99), 29);
  assert.equal(of('reign', 'alone', 'together', 'reign').aloneTo(99), 29);
});

test('a cut forgets what stood behind it', () => {
  const history = of('reign', 'alone', 'together', 'reign', 'alone');
  history.cut(30);
  assert.deepEqual([history.aloneTo(35), history.reigns], [29, [{ epoch: 1, firstSeq: 10 }]]);
  history.cut(20);
  assert.equal(history.aloneTo(25), 25);
  history.cut(0);
  assert.deepEqual([history.aloneTo(0), history.reigns], [0, []]);
});

test('without the idle records the answers stay the same', () => {
  const kinds: Kind[] = [
    'reign',
    'together',
    'alone',
    'together',
    'reign',
    'alone',
    'together',
    'reign',
    'together',
    'alone',
  ];
  for (let length = 1; length <= kinds.length; length++) {
    for (let upTo = 0; upTo <= 10 * length; upTo += 10) {
      const whole = of(...kinds.slice(0, length));
      const idle = whole.idle(upTo);
      const left = new History();
      for (const [index, kind] of kinds.slice(0, length).entries()) {
        const record = { seq: 10 * (index + 1), epoch: index + 1, kind };
        if (!idle.has(record.seq)) left.add(record);
      }
      assert.equal(left.aloneTo(999), whole.aloneTo(999));
      assert.deepEqual(left.reigns, whole.reigns);
    }
  }
  assert.deepEqual([...of(...kinds).idle(999)], [20, 30, 40]);
});
