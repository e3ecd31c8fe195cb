import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { notLinearizable, type Operation } from './register-history.ts';

const write = (value: string, startMs: number, endMs: number): Operation => ({ kind: 'write', value, startMs, endMs });
const read = (value: string | null, startMs: number, endMs: number): Operation => ({
  kind: 'read',
  value,
  startMs,
  endMs,
});

/** Tries every order: slow, and obviously right. */
function someOrderExplains(operations: readonly Operation[], value: string | null): boolean {
  if (operations.every(({ endMs }) => endMs === Infinity)) return true;
  const firstEndMs = Math.min(...operations.map(({ endMs }) => endMs));
  return operations.some((operation, index) => {
    if (operation.startMs > firstEndMs) return false;
    if (operation.kind === 'read' && operation.value !== value) return false;
    return someOrderExplains(operations.toSpliced(index, 1), operation.value);
  });
}

suite('history of a register', () => {
  test('a read sees the write before it, or one at the same time', () => {
    assert.equal(notLinearizable([write('x', 0, 1), read('x', 2, 3)], null), null);
    assert.equal(notLinearizable([write('x', 0, 10), read('x', 2, 3)], null), null);
    assert.equal(notLinearizable([write('x', 0, 10), read(null, 2, 3)], null), null);
  });

  test('an acknowledged write that is gone is found', () => {
    const lost = read(null, 2, 3);
    assert.equal(notLinearizable([write('x', 0, 1), lost], null), lost);
  });

  test('a read of what was overwritten before it is found', () => {
    assert.notEqual(notLinearizable([write('x', 0, 1), write('y', 2, 3), read('x', 4, 5)], null), null);
  });

  test('two reads that contradict each other are found', () => {
    const history = [write('x', 0, 10), read('x', 1, 2), read(null, 3, 4)];
    assert.notEqual(notLinearizable(history, null), null);
  });

  test('a write of unknown outcome may have happened, at any time, or not', () => {
    const unknown = write('x', 0, Infinity);
    assert.equal(notLinearizable([unknown, read(null, 1, 2)], null), null);
    assert.equal(notLinearizable([unknown, read(null, 1, 2), read('x', 50, 51)], null), null);
    assert.notEqual(notLinearizable([unknown, read('x', 1, 2), read(null, 50, 51)], null), null);
  });

  test('agrees with trying every order', () => {
    const moment = fc.integer({ min: 0, max: 12 });
    const operations = fc.array(
      fc.record({ isWrite: fc.boolean(), startMs: moment, lastsMs: moment, known: fc.boolean(), seen: fc.nat(6) }),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(operations, (drawn) => {
        const values = drawn.map((_, index) => `v${index}`);
        const history = drawn.flatMap(({ isWrite, startMs, lastsMs, known, seen }, index) => {
          const endMs = startMs + lastsMs;
          if (isWrite) return [write(values[index]!, startMs, known ? endMs : Infinity)];
          return [read(values[seen] ?? null, startMs, endMs)];
        });
        assert.equal(notLinearizable(history, null) === null, someOrderExplains(history, null));
      }),
      { numRuns: 2000 },
    );
  });
});
