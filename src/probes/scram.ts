import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { uniqueId } from '../kit/random.ts';
import { ProbeFailure } from './reason.ts';

/** The client's side of SCRAM-SHA-256 (RFC 5802, 7677) without channel binding. */

const derive = promisify(pbkdf2);
/** A server may ask for no more work than this: PostgreSQL asks for 4096. */
const MOST_ITERATIONS = 100_000;
const KEY_BYTES = 32;

export class Scram {
  readonly #password: string;
  readonly #nonce = uniqueId();
  #serverProof: Buffer = Buffer.alloc(0);

  constructor(password: string) {
    this.#password = password;
  }

  get first(): string {
    return `n,,${this.#bare}`;
  }

  /** PostgreSQL takes the name from the start of the session. */
  get #bare(): string {
    return `n=,r=${this.#nonce}`;
  }

  /** The answer to the server's first message. @throws ProbeFailure where that is none */
  async final(serverFirst: string): Promise<string> {
    const parts = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/=]+),i=(\d{1,9})$/.exec(serverFirst);
    const [, nonce = '', salt = '', iterations = ''] = parts ?? [];
    if (!nonce.startsWith(this.#nonce) || Number(iterations) < 1) throw new ProbeFailure('answers no SCRAM');
    if (Number(iterations) > MOST_ITERATIONS) throw new ProbeFailure(`asks for ${iterations} rounds of SCRAM`);
    const salted = await derive(
      this.#password.normalize('NFKC'),
      Buffer.from(salt, 'base64'),
      Number(iterations),
      KEY_BYTES,
      'sha256',
    );
    const withoutProof = `c=biws,r=${nonce}`;
    const message = `${this.#bare},${serverFirst},${withoutProof}`;
    const clientKey = hmac(salted, 'Client Key');
    const signature = hmac(createHash('sha256').update(clientKey).digest(), message);
    this.#serverProof = hmac(hmac(salted, 'Server Key'), message);
    const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
    return `${withoutProof},p=${proof.toString('base64')}`;
  }

  /** Whether the server knows the password too. @throws ProbeFailure if it does not */
  check(serverFinal: string): void {
    const proof = Buffer.from(/^v=([A-Za-z0-9+/=]+)/.exec(serverFinal)?.[1] ?? '', 'base64');
    const same = proof.length === this.#serverProof.length && timingSafeEqual(proof, this.#serverProof);
    if (proof.length === 0 || !same) throw new ProbeFailure('does not know the password itself');
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
