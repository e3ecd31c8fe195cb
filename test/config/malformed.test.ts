import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import { HsctlError } from '../../src/kit/errors.ts';

/** Each malformed/NAME.yaml is refused with exactly the lines of malformed/NAME.txt. */
const folder = new URL('malformed/', import.meta.url);
const samples = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

function errorOf(name: string): HsctlError {
  const text = readFileSync(new URL(name, folder), 'utf8');
  try {
    parseConfig(text, name);
  } catch (thrown) {
    assert.ok(thrown instanceof HsctlError, `${name}: ${String(thrown)}`);
    return thrown;
  }
  assert.fail(`${name} was accepted`);
}

describe('malformed configurations', () => {
  it('are at least thirty', () => assert.ok(samples.length >= 30, `${samples.length}`));

  for (const name of samples) {
    it(name, () => {
      const error = errorOf(name);
      assert.equal(error.code, 'config');
      const expected = readFileSync(new URL(name.replace(/yaml$/, 'txt'), folder), 'utf8');
      assert.equal(`${error.message}\n`, expected);
      // Place, then what was found, then what would do; in the order of the file.
      const lines = error.message.split('\n').map((line) => /^[\w-]+\.yaml:(\d+):(\d+): .+; .+$/.exec(line));
      const places = lines.map((parts) => {
        assert.ok(parts !== null, error.message);
        return Number(parts[1]) * 10_000 + Number(parts[2]);
      });
      assert.deepEqual(
        places,
        places.toSorted((one, other) => one - other),
      );
    });
  }
});
