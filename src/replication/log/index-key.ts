import type { FingerprintKey } from './fingerprint.ts';

/** Secret of an index' fingerprints, and its random name: hint files of one name can be read with one secret. */
export interface IndexKey {
  readonly store: string;
  readonly key: FingerprintKey;
}
