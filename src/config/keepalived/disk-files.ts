import { globSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { HsctlError, messageOf } from '../../kit/errors.ts';
import type { Files, SourceFile } from './read-lines.ts';

/** Far more than the largest configuration has. */
const FILE_LIMIT_BYTES = 4 * 2 ** 20;
const MATCHES_LIMIT = 1000;

/** The files of this machine. */
export const diskFiles: Files = {
  find(pattern, from) {
    const base = from === null || isAbsolute(pattern) ? pattern : join(dirname(from), pattern);
    const paths = globSync(base).toSorted().slice(0, MATCHES_LIMIT);
    return paths.filter((path) => statSync(path).isFile()).map(readSource);
  },
};

/** @throws HsctlError('usage') if it cannot be read */
export function readSource(path: string): SourceFile {
  try {
    const stats = statSync(path);
    // A pipe may bring the file of another machine.
    if (!stats.isFile() && !stats.isFIFO()) throw new Error('not a file');
    if (stats.size > FILE_LIMIT_BYTES) throw new Error('far too long for a configuration');
    const text = readFileSync(path, 'utf8');
    if (text.includes('\0')) throw new Error('not text');
    return { path, text };
  } catch (error) {
    throw new HsctlError('usage', `${path}: ${messageOf(error)}`, 'name a keepalived.conf that can be read', {
      cause: error,
    });
  }
}
