import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROUTES } from '../../src/api/routes.ts';
import { COMMANDS } from '../../src/commands/table.ts';

const MANUAL = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'cli.md'), 'utf8');

describe('manual of the command line', () => {
  for (const entry of COMMANDS) {
    it(`tells of ${entry.id}, and of each of its flags`, async () => {
      assert.ok(MANUAL.includes(`hsctl ${entry.id}`));
      const { flags, summary } = await entry.load();
      assert.equal(summary, entry.summary, 'overview and help say the same');
      for (const flag of Object.keys({ ...flags })) assert.ok(MANUAL.includes(`--${flag}`), `--${flag}`);
    });
  }

  it('tells of each path of the API', () => {
    for (const { method, path } of ROUTES) {
      assert.ok(MANUAL.includes(`${method} ${path.replace(':group', 'GROUP')}`), path);
    }
  });
});
