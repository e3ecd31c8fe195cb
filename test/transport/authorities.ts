import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { createAuthority, issueCertificate } from '../../src/transport/certificates.ts';
import type { Identity } from '../../src/transport/identity.ts';

/** Certificates for tests, in directories that are removed when the test file is done. */

export const CLUSTER = 'realm-7';
export const NODE_A: Identity = { role: 'node', cluster: CLUSTER, name: 'a' };
export const NODE_B: Identity = { role: 'node', cluster: CLUSTER, name: 'b' };
export const CONTROLLER: Identity = { role: 'controller', cluster: CLUSTER };

const made: string[] = [];
after(() => made.forEach((dir) => rmSync(dir, { recursive: true })));

export function temporaryDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'hsctl-certificates-'));
  made.push(dir);
  return dir;
}

/** A directory with an authority and certificates for a, b and the controller. */
export async function makeAuthority(cluster = CLUSTER): Promise<string> {
  const dir = temporaryDirectory();
  await createAuthority(dir, cluster);
  await issueCertificate(dir, { role: 'node', cluster, name: 'a' });
  await issueCertificate(dir, { role: 'node', cluster, name: 'b' });
  await issueCertificate(dir, { role: 'controller', cluster });
  return dir;
}

/** Gives the holder of `NAME.key` a certificate whose time is over. */
export function expire(dir: string, name: string, uri: string): void {
  sign(dir, name, uri, ['-startdate', '20200101000000Z', '-enddate', '20200201000000Z']);
}

/** Gives the holder of `NAME.key` a certificate for any identity, as our own commands would not. */
export function signAs(dir: string, name: string, uri: string): void {
  sign(dir, name, uri, ['-days', '1']);
}

function sign(dir: string, name: string, uri: string, dates: readonly string[]): void {
  const file = (suffix: string): string => join(dir, `${name}-${suffix}`);
  writeFileSync(file('index'), '');
  writeFileSync(
    file('config'),
    [
      '[ca]',
      'default_ca = authority',
      '[authority]',
      `database = ${file('index')}`,
      `new_certs_dir = ${dir}`,
      'default_md = sha256',
      'policy = any',
      'x509_extensions = leaf',
      'rand_serial = yes',
      '[any]',
      'commonName = supplied',
      '[leaf]',
      'basicConstraints = critical,CA:FALSE',
      'extendedKeyUsage = serverAuth,clientAuth',
      `subjectAltName = URI:${uri}`,
    ].join('\n'),
  );
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });
  const key = join(dir, `${name}.key`);
  openssl('req', '-new', '-config', '/dev/null', '-key', key, '-subj', `/CN=${name}`, '-out', file('request'));
  const authority = ['-cert', join(dir, 'ca.pem'), '-keyfile', join(dir, 'ca.key')];
  const files = ['-in', file('request'), '-out', join(dir, `${name}.pem`), '-notext', '-batch'];
  openssl('ca', '-config', file('config'), ...authority, ...dates, ...files);
}
