import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { HsctlError } from '../../src/kit/errors.ts';
import type { LogFields, Logger } from '../../src/kit/logger.ts';
import { renewCertificate } from '../../src/transport/certificates.ts';
import { Credentials, watchCredentials } from '../../src/transport/credentials.ts';
import { ManualScheduler } from '../kit/manual-scheduler.ts';
import { makeAuthority, NODE_A } from './authorities.ts';

function isConfigError(pattern: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof HsctlError && error.code === 'config' && pattern.test(error.message) && error.hint !== '';
}

suite('credentials', () => {
  test('tell who we are and for how long', async () => {
    const dir = await makeAuthority();
    const credentials = new Credentials(dir, 'a');
    assert.deepEqual(credentials.identity, NODE_A);
    const leftMs = credentials.expiresAtWallMs - Date.now();
    assert.ok(Math.abs(leftMs / 86_400_000 - 365) < 1);
  });

  test('name the file that is missing or wrong', async () => {
    const dir = await makeAuthority();
    assert.throws(() => new Credentials(dir, 'c'), isConfigError(/c\.pem: cannot be read/));
    copyFileSync(join(dir, 'b.key'), join(dir, 'a.key'));
    assert.throws(() => new Credentials(dir, 'a'), isConfigError(/a\.pem: does not go with a\.key and ca\.pem/));
    writeFileSync(join(dir, 'b.pem'), 'nonsense');
    assert.throws(() => new Credentials(dir, 'b'), isConfigError(/b\.pem/));
    rmSync(join(dir, 'ca.pem'));
    assert.throws(() => new Credentials(dir, 'controller'), isConfigError(/ca\.pem: cannot be read/));
  });

  test('are read again only when they changed, and kept while what is on disk is wrong', async () => {
    const dir = await makeAuthority();
    const credentials = new Credentials(dir, 'a');
    let changes = 0;
    const stop = credentials.onChange(() => (changes += 1));
    assert.equal(credentials.reload(), false);
    const key = readFileSync(join(dir, 'a.key'));
    const { pem } = credentials;
    copyFileSync(join(dir, 'b.key'), join(dir, 'a.key'));
    assert.throws(() => credentials.reload(), isConfigError(/does not go with/));
    assert.equal(credentials.pem, pem);
    writeFileSync(join(dir, 'a.key'), key);
    assert.equal(credentials.reload(), false);
    assert.equal(changes, 0);
    const renewed = await renewCertificate(dir, 'a', 30);
    assert.equal(credentials.reload(), true);
    assert.equal(credentials.expiresAtWallMs, renewed.notAfterWallMs);
    stop();
    await renewCertificate(dir, 'a', 40);
    credentials.reload();
    assert.equal(changes, 1);
  });

  test('are watched: changes are taken, and trouble is told once', async () => {
    const dir = await makeAuthority();
    const credentials = new Credentials(dir, 'a');
    const scheduler = new ManualScheduler();
    const lines: string[] = [];
    const add = (message: string, _fields?: LogFields): void => void lines.push(message);
    const logger: Logger = { debug: add, info: add, warn: add, error: add, child: () => logger };
    const timer = watchCredentials(credentials, { scheduler, logger, periodMs: 1000 });
    await scheduler.advance(5000);
    assert.deepEqual(lines, []);
    const good = readFileSync(join(dir, 'a.pem'));
    writeFileSync(join(dir, 'a.pem'), '');
    await scheduler.advance(5000);
    assert.deepEqual(lines, ['certificates on disk are wrong']);
    writeFileSync(join(dir, 'a.pem'), good);
    await renewCertificate(dir, 'a', 30);
    await scheduler.advance(2000);
    assert.deepEqual(lines.slice(1), ['certificates were read again']);
    timer.cancel();
    assert.equal(scheduler.pending, 0);
  });
});
