import { globSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { HsctlError } from '../../src/kit/errors.ts';

/** Folders whose tests make network namespaces or virtual machines, or compile: they need root or what it installs, and run one at a time. */
const HOST_FOLDERS = ['examples', 'rig', 'scenarios', 'traffic', 'vm'];

export interface TestFiles {
  /** Tests that need nothing but this process. */
  readonly unit: readonly string[];
  /** Tests that make hosts of their own. */
  readonly hosts: readonly string[];
}

/**
 * The test files (absolute, sorted) that `paths` name, files or folders, relative to the working directory.
 * Without paths: all below `testRoot`.
 * @throws HsctlError('usage') where a path holds no test
 */
export function findTestFiles(testRoot: string, paths: readonly string[]): TestFiles {
  const files = (paths.length === 0 ? [testRoot] : paths).flatMap((path) => testsAt(resolve(path)));
  const all = [...new Set(files)].toSorted();
  const needsHosts = (file: string): boolean => HOST_FOLDERS.includes(relative(testRoot, file).split('/')[0] ?? '');
  return { unit: all.filter((file) => !needsHosts(file)), hosts: all.filter(needsHosts) };
}

function testsAt(path: string): string[] {
  const kind = statSync(path, { throwIfNoEntry: false });
  if (kind === undefined) throw new HsctlError('usage', `${path}: no such file or folder`);
  if (kind.isFile()) return [path];
  const found = globSync('**/*.test.ts', { cwd: path }).map((file) => join(path, file));
  if (found.length === 0) throw new HsctlError('usage', `${path}: holds no *.test.ts`);
  return found;
}
