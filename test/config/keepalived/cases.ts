import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { diskFiles, readSource } from '../../../src/config/keepalived/disk-files.ts';
import { importKeepalived } from '../../../src/config/keepalived/import.ts';
import { HsctlError } from '../../../src/kit/errors.ts';

const DIRECTORY = import.meta.dirname;

/** Machines that a file with conditional lines is for. */
export const CONFIG_IDS: Readonly<Record<string, readonly string[]>> = { conditional: ['left', 'right'] };

/** What the import of one of these files gives: the text of the configuration, or why there is none. */
export function importCase(name: string): string {
  const ids = CONFIG_IDS[name] ?? [null];
  const paths = [`${name}.conf`, `${name}.other.conf`].map((file) => join(DIRECTORY, file)).filter(existsSync);
  const sources = (paths.length === 2 ? paths : ids.map(() => join(DIRECTORY, `${name}.conf`))).map((path, index) => {
    const { text } = readSource(path);
    return { file: { path: join(DIRECTORY, basename(path)), text }, id: ids[index] ?? null };
  });
  try {
    const { config } = importKeepalived({ sources, files: diskFiles, cluster: 'imported', addresses: {} });
    return config.replaceAll(`${DIRECTORY}/`, '');
  } catch (error) {
    if (!(error instanceof HsctlError)) throw error;
    return `cannot be imported: ${error.message}\n${error.hint}\n`.replaceAll(`${DIRECTORY}/`, '');
  }
}
