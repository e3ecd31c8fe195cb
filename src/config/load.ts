import { HsctlError } from '../kit/errors.ts';
import type { Config } from './config.ts';
import { formatProblem } from './problem.ts';
import { readConfig } from './read.ts';
import { readTextFile } from '../kit/text-file.ts';

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
  return parseConfig(readTextFile(path), path);
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
