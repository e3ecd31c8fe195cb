import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { Scheduler } from '../kit/clock.ts';
import { HsctlError, messageOf } from '../kit/errors.ts';
import type { Logger } from '../kit/logger.ts';
import { identityOf, type Identity } from './identity.ts';

/** Texts of the PEM files, as the TLS functions of the platform take them. */
interface Pem {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * This process' own certificate and key, and the authority that it trusts: `ca.pem`, `NAME.pem` and `NAME.key` of one
 * directory. After `reload` new links use the new files; established ones go on.
 */
export class Credentials {
  readonly #dir: string;
  readonly #name: string;
  readonly #listeners = new Set<() => void>();
  #pem: Pem;
  #certificate: X509Certificate;

  /** Reads the files. @throws HsctlError('config') naming the file that is missing or wrong. */
  constructor(dir: string, name: string) {
    this.#dir = dir;
    this.#name = name;
    this.#pem = this.#read();
    this.#certificate = new X509Certificate(this.#pem.cert);
  }

  get pem(): Pem {
    return this.#pem;
  }

  /** Who this process is to others. */
  get identity(): Identity | null {
    return identityOf(this.#certificate.subjectAltName);
  }

  /** End of our certificate's validity, in milliseconds since 1970. */
  get expiresAtWallMs(): number {
    return Date.parse(this.#certificate.validTo);
  }

  /**
   * Reads the files again; whether they differ from what was in use.
   * @throws HsctlError('config') if they are wrong (say, half replaced); what was in use stays in use.
   */
  reload(): boolean {
    const pem = this.#read();
    const changed = pem.ca !== this.#pem.ca || pem.cert !== this.#pem.cert || pem.key !== this.#pem.key;
    if (!changed) return false;
    this.#pem = pem;
    this.#certificate = new X509Certificate(pem.cert);
    for (const listener of this.#listeners) listener();
    return true;
  }

  /** Calls `listener` after each change; returns a function that ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #read(): Pem {
    const files = { ca: 'ca.pem', cert: `${this.#name}.pem`, key: `${this.#name}.key` };
    const pem = { ca: this.#text(files.ca), cert: this.#text(files.cert), key: this.#text(files.key) };
    try {
      createSecureContext(pem);
    } catch (error) {
      throw new HsctlError(
        'config',
        `${join(this.#dir, files.cert)}: does not go with ${files.key} and ${files.ca}: ${messageOf(error)}`,
        'issue it again with "hsctl cert issue"',
        { cause: error },
      );
    }
    return pem;
  }

  #text(file: string): string {
    const path = join(this.#dir, file);
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      const hint = 'make the certificates with "hsctl cert init" and "hsctl cert issue", and copy them here';
      throw new HsctlError('config', `${path}: cannot be read: ${messageOf(error)}`, hint, { cause: error });
    }
  }
}

export interface CredentialsWatch {
  /** Looks at the files now. */
  look(): void;
  cancel(): void;
}

/** Reloads the credentials when their files have changed, looking every `periodMs`; trouble is logged when it begins. */
export function watchCredentials(
  credentials: Credentials,
  options: { readonly scheduler: Scheduler; readonly logger: Logger; readonly periodMs: number },
): CredentialsWatch {
  let trouble = '';
  const look = (): void => {
    try {
      if (credentials.reload()) options.logger.info('certificates were read again');
      trouble = '';
    } catch (error) {
      if (messageOf(error) !== trouble) options.logger.error('certificates on disk are wrong', { error });
      trouble = messageOf(error);
    }
  };
  const timer = options.scheduler.every(options.periodMs, look);
  return { look, cancel: () => timer.cancel() };
}
