import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatIdentity, type Identity } from '../../src/transport/identity.ts';
import { tool } from './tool.ts';

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30'];

/** Makes an authority of its own and a certificate for the controller and each node, named as the daemons look for them. */
export async function makeCertificates(dir: string, cluster: string, nodes: readonly string[]): Promise<void> {
  mkdirSync(dir, { recursive: true });
  const authority = ['-keyout', join(dir, 'ca.key'), '-out', join(dir, 'ca.pem')];
  await tool(['openssl', 'req', '-x509', ...KEY, ...authority, '-subj', `/CN=${cluster} authority`]);
  await issue(dir, 'controller', { role: 'controller', cluster });
  for (const name of nodes) await issue(dir, name, { role: 'node', cluster, name });
}

/** Makes key and certificate, or replaces them. */
export async function issue(dir: string, name: string, identity: Identity): Promise<void> {
  const file = (ending: string): string => join(dir, `${name}.${ending}`);
  const request = ['-keyout', file('key'), '-out', file('csr'), '-subj', `/CN=${name}`];
  await tool(['openssl', 'req', ...KEY, ...request]);
  writeFileSync(
    file('ext'),
    `basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n` +
      `subjectAltName=URI:${formatIdentity(identity)}\n`,
  );
  const signing = ['-CA', join(dir, 'ca.pem'), '-CAkey', join(dir, 'ca.key'), '-CAcreateserial', '-days', '30'];
  await tool(['openssl', 'x509', '-req', '-in', file('csr'), ...signing, '-extfile', file('ext'), '-out', file('pem')]);
}
