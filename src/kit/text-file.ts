import { readFileSync, statSync } from 'node:fs';
import { HsctlError, messageOf } from './errors.ts';

/** Far more than the largest sensible cluster needs. */
const FILE_LIMIT_BYTES = 16 * 2 ** 20;

/** The text of a configuration file, which is of a sensible size and in UTF-8. @throws HsctlError('config') */
export function readTextFile(path: string): string {
  const bytes = readBytes(path);
  let text: string | null;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    text = null;
  }
  if (text === null || text.includes('\0')) {
    throw new HsctlError('config', `${path}: not text in UTF-8`, 'name the configuration file itself');
  }
  return text;
}

function readBytes(path: string): Buffer {
  try {
    const stats = statSync(path);
    if (!stats.isFile()) throw new HsctlError('config', `${path}: not a file`, 'name the configuration file itself');
    if (stats.size > FILE_LIMIT_BYTES) {
      throw new HsctlError('config', `${path}: ${stats.size} bytes long, not a configuration`, 'name another file');
    }
    return readFileSync(path);
  } catch (thrown) {
    if (thrown instanceof HsctlError) throw thrown;
    const missing = (thrown as NodeJS.ErrnoException).code === 'ENOENT';
    throw new HsctlError(
      'config',
      missing ? `${path || '""'}: no such file` : `${path}: cannot be read: ${messageOf(thrown)}`,
      missing ? 'name the file with --config, or write one with "hsctl init"' : 'check its owner and mode',
      { cause: thrown },
    );
  }
}
