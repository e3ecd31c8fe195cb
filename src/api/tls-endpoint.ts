import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, createSecureContext } from 'node:tls';
import { formatEndpoint } from '../kit/address.ts';
import { HsctlError, messageOf } from '../kit/errors.ts';
import { identityOf, identityRefusal } from '../transport/identity.ts';
import type { LinkEndpoint } from '../transport/security.ts';
import type { ApiEndpoint } from './endpoint.ts';

/** Files by which an operator is known to a controller on another machine. */
export interface CertificateFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * A controller on another machine, by mutual TLS: the certificate says who asks, and the other end has to be the
 * controller of the same cluster, whatever its address is.
 * @throws HsctlError('config') naming the file that is missing or wrong
 */
export function tlsEndpoint(place: LinkEndpoint, files: CertificateFiles): ApiEndpoint {
  const name = formatEndpoint(place);
  const pem = { cert: textOf(files.cert), key: textOf(files.key), ca: textOf(files.ca) };
  const own = ownIdentity(files, pem);
  const expected = { role: 'controller', cluster: own.cluster } as const;
  return {
    name,
    open(ready) {
      const socket = connect({
        ...place,
        ...pem,
        minVersion: 'TLSv1.3',
        // Instead of the host name: what counts is who it is.
        checkServerIdentity: (_host, certificate) => {
          const refusal = identityRefusal(identityOf(certificate.subjectaltname), [expected]);
          return refusal === null ? undefined : new Error(refusal);
        },
      });
      return socket.once('secureConnect', ready);
    },
    explain: (error) => explain(name, files.cert, error),
  };
}

function ownIdentity(files: CertificateFiles, pem: CertificateFiles) {
  try {
    createSecureContext(pem);
    const identity = identityOf(new X509Certificate(pem.cert).subjectAltName);
    if (identity !== null) return identity;
  } catch (error) {
    const message = `${files.cert}: does not go with ${files.key} and ${files.ca}: ${messageOf(error)}`;
    throw new HsctlError('config', message, 'name the three files that "hsctl cert issue" made', { cause: error });
  }
  throw new HsctlError(
    'config',
    `${files.cert}: names nobody of a cluster`,
    'make one with "hsctl cert issue operator"',
  );
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const hint = 'make it with "hsctl cert issue operator NAME", and name it with --cert, --key and --ca';
    throw new HsctlError('config', `${path}: cannot be read: ${messageOf(error)}`, hint, { cause: error });
  }
}

/** The other end tells by an alert that it does not take our certificate, and only after the handshake (TLS 1.3). */
function explain(name: string, cert: string, error: Error): HsctlError {
  const code = 'code' in error ? String(error.code) : '';
  const told = (message: string, hint: string): HsctlError =>
    new HsctlError('unreachable', message, hint, { cause: error });
  if (code.startsWith('ERR_SSL') && /ALERT/i.test(`${code} ${error.message}`)) {
    const hint =
      'is it of this cluster, and not expired? "hsctl cert list" tells; "hsctl cert issue operator" makes one';
    return new HsctlError('refused', `${name} does not take the certificate ${cert}: ${error.message}`, hint, {
      cause: error,
    });
  }
  if (code === 'ECONNREFUSED') {
    return told(`nobody listens on ${name}`, 'is the controller running, with this address as its controller.listen?');
  }
  if (code === 'ECONNRESET') {
    return told(`${name} closed the connection`, 'its log says why, once a minute for each address');
  }
  return told(
    `the connection to ${name} failed: ${plainReason(error)}`,
    'check the address, and --ca: who signed its certificate?',
  );
}

/** OpenSSL's own messages have numbers, files and a line break around the reason. */
function plainReason(error: Error): string {
  if ('code' in error && error.code === 'ERR_SSL_WRONG_VERSION_NUMBER') return 'no TLS is spoken there';
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
}
