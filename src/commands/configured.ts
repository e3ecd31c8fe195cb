import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { HsctlError } from '../kit/errors.ts';

/**
 * The configuration, for a command that needs none where the flags `instead` are given.
 * @throws HsctlError('config') that names them
 */
export function configured(path: string, instead: string): Config {
  try {
    return loadConfig(path).config;
  } catch (error) {
    if (!(error instanceof HsctlError)) throw error;
    throw new HsctlError(error.code, error.message, `${error.hint}; with ${instead} none is needed`, { cause: error });
  }
}
