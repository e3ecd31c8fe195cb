import { generateKeyPairSync } from 'node:crypto';
import { existsSync, linkSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, systemScheduler } from '../kit/clock.ts';
import { HsctlError, messageOf } from '../kit/errors.ts';
import { run } from '../kit/exec.ts';
import { makeDirectory } from '../kit/make-directory.ts';
import { type CertificateFacts, readCertificate } from './certificate-facts.ts';
import { formatIdentity, isIdentityName, parseIdentity, type Identity } from './identity.ts';

/**
 * The cluster's certificates: an authority, and one certificate for each node, the controller and each operator, all
 * ECDSA P-256. `openssl` signs; keys are made here, so that they are never in a file that others may read. Only the
 * directory in which certificates are issued holds `ca.key`: the machines of the cluster need `ca.pem`, their own
 * `NAME.pem` and `NAME.key`, and nothing else.
 */

const AUTHORITY_DAYS = 3650;
const CERTIFICATE_DAYS = 365;

const OPENSSL_TIMEOUT_MS = 20_000;
const DAY_MS = 86_400_000;
const AUTHORITY = 'ca';

/** Puts a finished file in its place: `linkSync` where there must be none, `renameSync` where there may. */
type Place = (from: string, to: string) => void;

/** Base of the names of an identity's files: `controller`, the node's name, `operator-NAME`, `viewer-NAME`. */
function certificateName(identity: Identity): string {
  if (identity.role === 'controller') return 'controller';
  return identity.role === 'node' ? identity.name : `${identity.role}-${identity.name}`;
}

/**
 * Makes the authority of a cluster, `ca.pem` and `ca.key`, and the directory if it is not there.
 * @throws HsctlError('refused') if there is one already; HsctlError('usage') for a name that no certificate can hold.
 */
export async function createAuthority(dir: string, cluster: string, days = AUTHORITY_DAYS): Promise<CertificateFacts> {
  checkName('cluster', cluster);
  makePlace(dir);
  refuseToReplace(
    dir,
    AUTHORITY,
    'use another directory: a new one would be strange to everything that this one has signed',
  );
  const extensions = ['basicConstraints=critical,CA:TRUE,pathlen:0', 'keyUsage=critical,keyCertSign,cRLSign'];
  return make(dir, AUTHORITY, ['-subj', `/O=hsctl/CN=${cluster}`], extensions, days, linkSync);
}

/**
 * Issues the first certificate of an identity, where the authority is.
 * @throws HsctlError('refused') if it has one already, or there is no authority; HsctlError('usage') for a bad name.
 */
export async function issueCertificate(
  dir: string,
  identity: Identity,
  days = CERTIFICATE_DAYS,
  clock: Clock = systemScheduler,
): Promise<CertificateFacts> {
  checkIdentity(identity);
  refuseToReplace(dir, certificateName(identity), 'use "hsctl cert renew" to replace it');
  return issue(dir, identity, days, clock, linkSync);
}

/**
 * Replaces the certificate `NAME.pem` and its key by new ones for the same identity, where the authority is.
 * @throws HsctlError('refused') if there is none, or it is not one of ours.
 */
export async function renewCertificate(
  dir: string,
  name: string,
  days = CERTIFICATE_DAYS,
  clock: Clock = systemScheduler,
): Promise<CertificateFacts> {
  const present = join(dir, `${name}.pem`);
  const identity = parseIdentity(readCertificate(present).identity ?? '');
  if (identity === null || certificateName(identity) !== name) {
    throw new HsctlError('refused', `${present}: not issued by hsctl under this name`, 'use "hsctl cert issue"');
  }
  return issue(dir, identity, days, clock, renameSync);
}

/** What is in all certificates of a directory, the authority's first. @throws HsctlError('refused') if one cannot be read. */
export function listCertificates(dir: string): CertificateFacts[] {
  const rank = (file: string): string => (file === `${AUTHORITY}.pem` ? '' : file);
  const files = filesIn(dir).filter((file) => file.endsWith('.pem'));
  return files
    .toSorted((one, other) => (rank(one) < rank(other) ? -1 : 1))
    .map((file) => readCertificate(join(dir, file)));
}

async function issue(
  dir: string,
  identity: Identity,
  days: number,
  clock: Clock,
  place: Place,
): Promise<CertificateFacts> {
  const role = identity.role === 'controller' ? '' : `/OU=${identity.role}`;
  const name = identity.role === 'controller' ? identity.role : identity.name;
  const [certificate, key] = [join(dir, `${AUTHORITY}.pem`), join(dir, `${AUTHORITY}.key`)] as const;
  const longest = daysOfAuthority(certificate, key, clock, identity.cluster);
  const extensions = [
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature',
    'extendedKeyUsage=serverAuth,clientAuth',
    `subjectAltName=URI:${formatIdentity(identity)}`,
    'authorityKeyIdentifier=keyid',
  ];
  const options = ['-CA', certificate, '-CAkey', key, '-subj', `/O=${identity.cluster}${role}/CN=${name}`];
  return make(dir, certificateName(identity), options, extensions, Math.min(days, longest), place);
}

/** Makes key and certificate aside, then puts both in place. */
async function make(
  dir: string,
  name: string,
  options: readonly string[],
  extensions: readonly string[],
  days: number,
  place: Place,
): Promise<CertificateFacts> {
  if (!Number.isInteger(days) || days < 1) {
    throw new HsctlError('usage', `${days} days: not a time for a certificate`, 'give whole days, one at least');
  }
  const aside = mkdtempSync(join(dir, '.new-'));
  try {
    const key = join(aside, `${name}.key`);
    const certificate = join(aside, `${name}.pem`);
    writeFileSync(key, newKey(), { mode: 0o600, flag: 'wx' });
    writeFileSync(certificate, await sign(key, options, extensions, days), { mode: 0o644, flag: 'wx' });
    // Between the two, readers see a key that does not fit its certificate, and go on with what they have.
    place(key, join(dir, `${name}.key`));
    place(certificate, join(dir, `${name}.pem`));
  } finally {
    rmSync(aside, { recursive: true });
  }
  return readCertificate(join(dir, `${name}.pem`));
}

/** Whole days that the authority has left: it has to outlive what it signs, which is for its own cluster. */
function daysOfAuthority(certificate: string, key: string, clock: Clock, cluster: string): number {
  const hint = 'make one with "hsctl cert init", or go to the machine where it is kept';
  if (!existsSync(key)) throw new HsctlError('refused', `${key}: there is no authority here`, hint);
  const { subject, notAfterWallMs } = readCertificate(certificate);
  const [, own = cluster] = /^O=hsctl, CN=(.*)$/.exec(subject) ?? [];
  if (own !== cluster)
    throw new HsctlError('refused', `${certificate}: the authority of cluster ${own}, not of ${cluster}`, hint);
  const days = Math.floor((notAfterWallMs - clock.wallMs()) / DAY_MS);
  if (days < 1)
    throw new HsctlError('refused', `${certificate}: the authority has expired, or does today`, 'make a new one');
  return days;
}

function makePlace(dir: string): void {
  try {
    makeDirectory(dir, 0o700);
  } catch (error) {
    const isTaken = (error as NodeJS.ErrnoException).code === 'EEXIST';
    const what = isTaken ? 'is there and is no directory' : `cannot be made: ${messageOf(error)}`;
    throw new HsctlError('refused', `${dir}: ${what}`, 'name another directory with --dir', { cause: error });
  }
}

function refuseToReplace(dir: string, name: string, hint: string): void {
  const present = [`${name}.key`, `${name}.pem`].map((file) => join(dir, file)).find((path) => existsSync(path));
  if (present !== undefined) throw new HsctlError('refused', `${present}: is there already`, hint);
}

function filesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    const hint = 'name the directory of the certificates with --dir, or make them with "hsctl cert init"';
    throw new HsctlError('refused', `${dir}: cannot be read: ${messageOf(error)}`, hint, { cause: error });
  }
}

function newKey(): string {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return privateKey;
}

/** The certificate for the key in a file, as PEM text. */
async function sign(
  key: string,
  options: readonly string[],
  extensions: readonly string[],
  days: number,
): Promise<string> {
  const command = [
    'openssl',
    'req',
    '-x509',
    '-new',
    '-config',
    '/dev/null',
    '-sha256',
    '-key',
    key,
    '-days',
    String(days),
  ];
  const added = [...extensions, 'subjectKeyIdentifier=hash'].flatMap((extension) => ['-addext', extension]);
  const { stdout } = await run([...command, ...options, ...added], { timeoutMs: OPENSSL_TIMEOUT_MS });
  return stdout;
}

function checkIdentity(identity: Identity): void {
  checkName('cluster', identity.cluster);
  if (identity.role === 'controller') return;
  checkName(identity.role, identity.name);
  const { name } = identity;
  if (identity.role === 'node' && (name === AUTHORITY || name === 'controller' || /^(operator|viewer)-/.test(name))) {
    throw new HsctlError('usage', `node ${name}: its files would be taken for another's`, 'give the node another name');
  }
}

function checkName(what: string, name: string): void {
  if (isIdentityName(name)) return;
  const hint = 'use up to 63 letters, digits, dots, dashes and underscores, a letter or digit first';
  throw new HsctlError('usage', `${what} ${JSON.stringify(name)}: not a name for a certificate`, hint);
}
