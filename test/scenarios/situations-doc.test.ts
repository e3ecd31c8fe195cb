import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

const PAGE = readFileSync(new URL('../../docs/situations.md', import.meta.url), 'utf8');
const ROWS = PAGE.split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(1)
  .map((line) => line.slice(2, -2).split(' | '));

/** `file: words of the test's name`, as the page names them. */
const NAMED = /^`([a-z-]+)`: (.+)$/;

describe('docs/situations.md', () => {
  it('has every situation of the design', () => {
    assert.equal(ROWS.length, 21);
    for (const row of ROWS) assert.equal(row.length, 3, row[0]);
  });

  for (const [situation = '', , shown = ''] of ROWS) {
    it(`names scenarios that there are: ${situation}`, () => {
      for (const one of shown.split('; ')) {
        const [, file = '', words = ''] = NAMED.exec(one.replace(/\.$/, '')) ?? assert.fail(one);
        const source = readFileSync(new URL(`${file}.test.ts`, import.meta.url), 'utf8');
        // Names are written in one string each.
        const names = source.match(/\bit\(\s*(['"`]).*?\1/gs) ?? [];
        assert.ok(
          names.some((name) => name.includes(words)),
          `${file}.test.ts has no test of this name: ${words}`,
        );
      }
    });
  }
});
