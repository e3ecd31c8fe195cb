import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { ReadRooms } from '../../../src/replication/link/read-rooms.ts';

suite('memory that a feed reads into', () => {
  test('is used again when the link has passed on what stood in it, and not before', () => {
    const rooms = new ReadRooms();
    const first = rooms.take(10, 0, 0);
    assert.equal(first?.length, 10);
    rooms.leave(first.subarray(2, 5), 3);
    assert.notEqual(rooms.take(10, 3, 1), first);
    assert.notEqual(rooms.take(10, 4, 2), first);
    assert.equal(rooms.take(10, 5, 3), undefined);
    assert.equal(rooms.take(10, 6, 3), first);
    assert.equal(rooms.take(10, 6, 0), undefined);
  });

  test('grows when more is asked for', () => {
    const rooms = new ReadRooms();
    const small = rooms.take(10, 0, 0);
    rooms.leave(small!, 10);
    assert.equal(rooms.take(20, 10, 0)?.length, 20);
  });

  test('is never written over while a link still queues it', () => {
    const stretch = fc.record({ length: fc.integer({ min: 1, max: 20 }), passed: fc.nat(60), other: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(stretch), (stretches) => {
        const rooms = new ReadRooms();
        const queue: { room: Uint8Array | null; length: number }[] = [];
        let given = 0;
        for (const { length, passed, other } of stretches) {
          const queued = queue.reduce((sum, one) => sum + one.length, 0);
          const room = rooms.take(20, given, queued);
          assert.ok(room === undefined || queue.every((one) => one.room !== room));
          queue.push({ room: room ?? null, length }, { room: null, length: other });
          given += length;
          if (room !== undefined) rooms.leave(room.subarray(0, length), given);
          for (let left = passed; left > 0 && queue.length > 0;) {
            const head = queue[0]!;
            const gone = Math.min(left, head.length);
            left -= gone;
            head.length -= gone;
            if (head.length === 0) queue.shift();
            else if (gone === 0) break;
          }
        }
      }),
    );
  });
});
