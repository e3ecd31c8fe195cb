import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { EventQueue } from './event-queue.ts';

suite('events of a simulation', () => {
  test('come in the order of their times, and those of one moment in the order of their planning', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), (times) => {
        const queue = new EventQueue();
        for (const atMs of times) queue.add(atMs, () => undefined);
        const taken = times.map(() => queue.take(Infinity)!);
        const expected = taken.toSorted((one, other) => one.atMs - other.atMs || one.order - other.order);
        assert.deepEqual(taken, expected);
        assert.equal(queue.take(Infinity), null);
      }),
    );
  });

  test('one without its task is left out, one that is not due is kept', () => {
    const queue = new EventQueue();
    queue.add(1, () => undefined).task = null;
    const later = queue.add(5, () => undefined);
    assert.equal(queue.take(4), null);
    assert.equal(queue.take(5), later);
  });
});
