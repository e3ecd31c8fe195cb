import { readFileSync } from 'node:fs';

/** Version of hsctl, from its package.json, which lies at the same distance from the sources and from their build. */
export const VERSION: string = readVersion();

function readVersion(): string {
  const file: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const found = typeof file === 'object' && file !== null && 'version' in file ? file.version : null;
  return typeof found === 'string' ? found : 'unknown';
}
