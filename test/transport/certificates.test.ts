import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { HsctlError } from '../../src/kit/errors.ts';
import {
  createAuthority,
  issueCertificate,
  listCertificates,
  renewCertificate,
} from '../../src/transport/certificates.ts';
import { CLUSTER, makeAuthority, NODE_A, temporaryDirectory } from './authorities.ts';

const DAY_MS = 86_400_000;

function refusal(code: string, pattern: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof HsctlError && error.code === code && pattern.test(error.message);
}

suite('certificates', () => {
  test('are good for openssl, fit their keys and name their holders', async () => {
    const dir = await makeAuthority();
    await issueCertificate(dir, { role: 'operator', cluster: CLUSTER, name: 'alice' });
    const names = ['a', 'b', 'controller', 'operator-alice'];
    for (const name of names) {
      const path = join(dir, `${name}.pem`);
      for (const purpose of ['sslserver', 'sslclient']) {
        execFileSync('openssl', ['verify', '-x509_strict', '-purpose', purpose, '-CAfile', join(dir, 'ca.pem'), path], {
          stdio: 'pipe',
        });
      }
      const certificate = new X509Certificate(readFileSync(path));
      assert.ok(certificate.checkPrivateKey(createPrivateKey(readFileSync(join(dir, `${name}.key`)))));
      assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
      assert.equal(certificate.ca, false);
    }
    assert.deepEqual(
      listCertificates(dir).map(({ file, identity, isAuthority }) => [file, identity, isAuthority]),
      [
        ['ca.pem', null, true],
        ['a.pem', 'hsctl://realm-7/node/a', false],
        ['b.pem', 'hsctl://realm-7/node/b', false],
        ['controller.pem', 'hsctl://realm-7/controller', false],
        ['operator-alice.pem', 'hsctl://realm-7/operator/alice', false],
      ],
    );
    const files = [...names, 'ca'].flatMap((name) => [`${name}.key`, `${name}.pem`]);
    assert.deepEqual(readdirSync(dir).toSorted(), files.toSorted(), 'nothing is left lying about');
  });

  test('have keys that only their owner may read', async () => {
    const dir = await makeAuthority();
    for (const name of ['ca', 'a', 'controller']) assert.equal(statSync(join(dir, `${name}.key`)).mode & 0o777, 0o600);
    const made = join(temporaryDirectory(), 'new');
    await createAuthority(made, CLUSTER);
    assert.equal(statSync(made).mode & 0o777, 0o700);
  });

  test('are good for as long as was asked, but no longer than their authority', async () => {
    const dir = temporaryDirectory();
    const authority = await createAuthority(dir, CLUSTER, 100);
    const short = await issueCertificate(dir, NODE_A, 10);
    const days = (short.notAfterWallMs - short.notBeforeWallMs) / DAY_MS;
    assert.equal(days, 10);
    const long = await issueCertificate(dir, { role: 'controller', cluster: CLUSTER }, 1000);
    assert.ok(long.notAfterWallMs <= authority.notAfterWallMs);
    await assert.rejects(renewCertificate(dir, 'a', 0), refusal('usage', /0 days/));
    await assert.rejects(renewCertificate(dir, 'a', 1.5), refusal('usage', /1.5 days/));
  });

  test('are never replaced by accident, the authority not at all', async () => {
    const dir = await makeAuthority();
    const before = readdirSync(dir).map((file) => readFileSync(join(dir, file), 'utf8'));
    await assert.rejects(createAuthority(dir, CLUSTER), refusal('refused', /ca\.key: is there already/));
    await assert.rejects(issueCertificate(dir, NODE_A), refusal('refused', /a\.key: is there already/));
    assert.deepEqual(
      readdirSync(dir).map((file) => readFileSync(join(dir, file), 'utf8')),
      before,
    );
  });

  test('are renewed with a new key for the same holder', async () => {
    const dir = await makeAuthority();
    const [, before] = listCertificates(dir);
    const keyBefore = readFileSync(join(dir, 'a.key'), 'utf8');
    const renewed = await renewCertificate(dir, 'a', 30);
    assert.equal(renewed.identity, before?.identity);
    assert.notEqual(renewed.fingerprint, before?.fingerprint);
    assert.notEqual(readFileSync(join(dir, 'a.key'), 'utf8'), keyBefore);
    assert.equal(statSync(join(dir, 'a.key')).mode & 0o777, 0o600);
    await assert.rejects(renewCertificate(dir, 'c'), refusal('refused', /c\.pem: no certificate can be read/));
    await assert.rejects(renewCertificate(dir, 'ca'), refusal('refused', /not issued by hsctl under this name/));
  });

  test('need an authority that is still good', async () => {
    const dir = temporaryDirectory();
    await assert.rejects(issueCertificate(dir, NODE_A), refusal('refused', /ca\.key: there is no authority here/));
    await createAuthority(dir, CLUSTER, 10);
    const later = { monotonicMs: () => 0, wallMs: () => Date.now() + 11 * DAY_MS };
    await assert.rejects(issueCertificate(dir, NODE_A, 1, later), refusal('refused', /has expired/));
    assert.deepEqual(readdirSync(dir).toSorted(), ['ca.key', 'ca.pem']);
  });

  test('are not made for names that would be something else in a certificate or a path', async () => {
    const dir = temporaryDirectory();
    await assert.rejects(createAuthority(dir, 'realm/7'), refusal('usage', /cluster "realm\/7"/));
    await createAuthority(dir, CLUSTER);
    for (const name of ['', '../x', 'a/b', 'a,DNS:b', 'a b', '-a', 'x'.repeat(64), 'a\nb']) {
      await assert.rejects(
        issueCertificate(dir, { role: 'node', cluster: CLUSTER, name }),
        refusal('usage', /not a name/),
      );
    }
    for (const name of ['ca', 'controller', 'operator-alice']) {
      await assert.rejects(
        issueCertificate(dir, { role: 'node', cluster: CLUSTER, name }),
        refusal('usage', /taken for another/),
      );
    }
    const longest = 'x'.repeat(63);
    const { identity } = await issueCertificate(dir, { role: 'operator', cluster: CLUSTER, name: longest });
    assert.equal(identity, `hsctl://${CLUSTER}/operator/${longest}`);
  });

  test('that cannot be read are named', async () => {
    const dir = await makeAuthority();
    writeFileSync(join(dir, 'x.pem'), 'nonsense');
    assert.throws(() => listCertificates(dir), refusal('refused', /x\.pem: no certificate can be read/));
    assert.throws(() => listCertificates(join(dir, 'nowhere')), refusal('refused', /nowhere: cannot be read/));
  });
});
