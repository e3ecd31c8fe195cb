import { readFileSync, statSync } from 'node:fs';
import { HsctlError, messageOf } from '../kit/errors.ts';
import type { Config } from './config.ts';
import { formatProblem } from './problem.ts';
import { readConfig } from './read.ts';

/** Far more than the largest sensible cluster needs. */
const FILE_LIMIT_BYTES = 16 * 2 ** 20;
const ERRORS_SHOWN = 200;

/** The file that is meant where none is named. */
export interface LoadedConfig {
  readonly config: Config;
  /** What looks wrong but may be meant, one line each: `FILE:LINE:COLUMN: PATH: what; what would do`. */
  readonly warnings: readonly string[];
}

/**
 * Reads and checks the configuration file.
 * @throws HsctlError('config') whose message has one line for each error: `FILE:LINE:COLUMN: PATH: what; what would do`
 */
export function loadConfig(path: string): LoadedConfig {
  return parseConfig(readText(path), path);
}

/** The same for text that was read already; `name` stands for the file in messages. @throws HsctlError('config') */
export function parseConfig(text: string, name: string): LoadedConfig {
  const { config, errors, warnings } = readConfig(text);
  if (config === null) {
    const lines = errors.slice(0, ERRORS_SHOWN).map((problem) => formatProblem(name, problem));
    if (errors.length > ERRORS_SHOWN) lines.push(`${name}: and ${errors.length - ERRORS_SHOWN} more`);
    throw new HsctlError('config', lines.join('\n'), 'mend the file; docs/configuration.md describes every key');
  }
  return { config, warnings: warnings.map((problem) => formatProblem(name, problem)) };
}

function readText(path: string): string {
  let bytes: Buffer;
  try {
    const stats = statSync(path);
    if (!stats.isFile()) throw new HsctlError('config', `${path}: not a file`, 'name the configuration file itself');
    if (stats.size > FILE_LIMIT_BYTES) {
      throw new HsctlError('config', `${path}: ${stats.size} bytes long, not a configuration`, 'name another file');
    }
    bytes = readFileSync(path);
  } catch (thrown) {
    if (thrown instanceof HsctlError) throw thrown;
    const missing = (thrown as NodeJS.ErrnoException).code === 'ENOENT';
    throw new HsctlError(
      'config',
      missing ? `${path}: no such file` : `${path}: cannot be read: ${messageOf(thrown)}`,
      missing ? 'name the file with --config, or write one with "hsctl init"' : 'check its owner and mode',
      { cause: thrown },
    );
  }
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
