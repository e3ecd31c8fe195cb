import assert from 'node:assert/strict';
import { test } from 'node:test';
import { globMatches } from '../../../src/protocol/resp/glob.ts';

const matches = (pattern: string, text: string): boolean => globMatches(Buffer.from(pattern), Buffer.from(text));

for (const [pattern, yes, no] of [
  ['*', ['', 'a', 'abc'], []],
  ['a*c', ['ac', 'abc', 'abcc'], ['ab', 'a', 'bac']],
  ['*a*b*', ['ab', 'xaxbx'], ['ba', 'a']],
  ['h?llo', ['hello', 'hallo'], ['hllo', 'heello']],
  ['h[ae]llo', ['hello', 'hallo'], ['hillo']],
  ['h[^e]llo', ['hallo'], ['hello', 'hllo']],
  ['h[a-c]llo', ['hallo', 'hcllo'], ['hdllo']],
  ['h[c-a]llo', ['hallo', 'hbllo'], ['hdllo']],
  ['h[\\]-]x', ['h]x', 'h-x'], ['hax', 'h\\x']],
  ['a\\*b', ['a*b'], ['axb']],
  ['[abc', ['a', 'c'], ['d', '[']],
  ['', [''], ['a']],
] as const) {
  void test(`pattern ${JSON.stringify(pattern)}`, () => {
    for (const text of yes) assert.ok(matches(pattern, text), text);
    for (const text of no) assert.ok(!matches(pattern, text), text);
  });
}

void test('a pattern made to take for ever does not', () => {
  assert.equal(matches('a*'.repeat(1000) + 'b', 'a'.repeat(10_000)), false);
});
