import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Output } from '../../../src/agent/resp/output.ts';

void test('no reply goes before what it tells of is confirmed, none overtakes another, none is lost', () => {
  const step = fc.oneof(
    fc.record({ reply: fc.nat(20) }),
    fc.record({ shown: fc.integer({ min: -1, max: 30 }) }),
    fc.record({ sealed: fc.constant(true) }),
    fc.record({ confirmed: fc.integer({ min: -1, max: 30 }), limit: fc.integer({ min: 1, max: 40 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const output = new Output();
      const sent: Buffer[] = [];
      let written = '';
      /** For each byte written, the seq that must be confirmed before it goes. */
      const needs: number[] = [];
      let unsealedFrom = 0;
      const take = (confirmed: number, limit: number): void => {
        output.release(confirmed);
        while (output.sendable > 0) {
          const at = Buffer.concat(sent).length;
          const piece = Buffer.from(output.take(limit));
          for (let index = at; index < at + piece.length; index++) assert.ok((needs[index] ?? Infinity) <= confirmed);
          sent.push(piece);
        }
        output.writer.recycle();
      };
      for (const each of steps) {
        if ('reply' in each) {
          output.writer.integer(each.reply);
          written += `:${each.reply}\r\n`;
          needs.push(...Array.from({ length: written.length - needs.length }, () => Infinity));
        } else if ('shown' in each) output.waitFor(each.shown);
        else if ('confirmed' in each) take(each.confirmed, each.limit);
        if ('shown' in each) {
          for (let index = unsealedFrom; index < needs.length; index++) {
            const known = needs[index] === Infinity ? -1 : (needs[index] ?? -1);
            needs[index] = Math.max(known, each.shown);
          }
        }
        if ('sealed' in each) {
          output.seal();
          for (let index = unsealedFrom; index < needs.length; index++)
            if (needs[index] === Infinity) needs[index] = -1;
          unsealedFrom = needs.length;
        }
      }
      output.seal();
      for (let index = 0; index < needs.length; index++) if (needs[index] === Infinity) needs[index] = -1;
      take(30, 7);
      assert.equal(Buffer.concat(sent).toString(), written);
      assert.equal(output.waiting, false);
    }),
    { numRuns: 2000 },
  );
});

void test('thousands of waiting runs are released in order', () => {
  const output = new Output();
  for (let seq = 1; seq <= 5000; seq++) {
    output.writer.ok();
    output.waitFor(seq);
    output.seal();
  }
  for (let seq = 1; seq <= 5000; seq++) {
    output.release(seq);
    assert.equal(output.take(Infinity).length, 5);
    assert.equal(output.waiting, seq < 5000);
  }
});
