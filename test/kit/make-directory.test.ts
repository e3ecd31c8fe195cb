import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { makeDirectory } from '../../src/kit/make-directory.ts';

suite('makeDirectory', () => {
  let root = '';
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'hsctl-directories-'));
  });
  after(() => rmSync(root, { recursive: true }));

  test('makes all that are missing, with the mode, and leaves what is there', () => {
    const path = join(root, 'a', 'b', 'c');
    makeDirectory(path, 0o700);
    for (const each of [path, join(root, 'a')]) assert.equal(statSync(each).mode & 0o777, 0o700);
    makeDirectory(join(root, 'a'), 0o755);
    assert.equal(statSync(join(root, 'a')).mode & 0o777, 0o700);
  });

  test('follows links to directories', () => {
    symlinkSync(root, join(root, 'link'));
    makeDirectory(join(root, 'link', 'd'));
    assert.ok(statSync(join(root, 'd')).isDirectory());
  });

  test('says at once that there is no room for it', () => {
    for (const path of ['/proc/hsctl', '/proc/hsctl/x/y']) assert.throws(() => makeDirectory(path), { code: 'ENOENT' });
    writeFileSync(join(root, 'file'), '');
    assert.throws(() => makeDirectory(join(root, 'file')), { code: 'EEXIST' });
    assert.throws(() => makeDirectory(join(root, 'file', 'x')), { code: /EEXIST|ENOTDIR/ });
    symlinkSync(join(root, 'gone'), join(root, 'dangling'));
    assert.throws(() => makeDirectory(join(root, 'dangling')), { code: 'EEXIST' });
  });
});
