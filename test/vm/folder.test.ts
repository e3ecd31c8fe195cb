import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { newFolder } from './folder.ts';

it('a VM leaves nothing for good: what a killed run left is removed at the next start, what lives stays', () => {
  // The pid lives, but as another process than the one that began in tick 0.
  const left = join(tmpdir(), `hsctl-vm-${process.pid}-0-left`);
  mkdirSync(left, { recursive: true });
  const living = newFolder();
  const another = newFolder();
  assert.deepEqual([left, living, another].map(existsSync), [false, true, true]);
  for (const folder of [living, another]) rmSync(folder, { recursive: true });
});
