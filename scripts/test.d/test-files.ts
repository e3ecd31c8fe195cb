import { globSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { HsctlError } from '../../src/kit/errors.ts';

/** Folders whose tests make network namespaces or virtual machines, or compile: they need root or what it installs, and run one at a time. */
const HOST_FOLDERS = ['examples', 'rig', 'scenarios', 'traffic', 'vm'];

/** Folders with tests that take minutes: begun first, so that at the end no process is left with one while the others are idle. */
const LONG_FOLDERS = ['sim', 'replication', 'fuzz'];

export interface TestFiles {
  /** Tests that need nothing but this process. */
  readonly unit: readonly string[];
  /** Tests that make hosts of their own. */
  readonly hosts: readonly string[];
}

/**
 * The test files (absolute, sorted, but long ones first) that `paths` name, files or folders, relative to the working directory.
 * Without paths: all below `testRoot`.
 * @throws HsctlError('usage') where a path holds no test
 */
export function findTestFiles(testRoot: string, paths: readonly string[]): TestFiles {
  const files = (paths.length === 0 ? [testRoot] : paths).flatMap((path) => testsAt(resolve(path)));
  const all = [...new Set(files)].toSorted();
  const isIn = (folders: readonly string[], file: string): boolean =>
    folders.includes(relative(testRoot, file).split('/')[0] ?? '');
  const unit = all.filter((file) => !isIn(HOST_FOLDERS, file));
  return {
    unit: unit.toSorted((one, other) => Number(isIn(LONG_FOLDERS, other)) - Number(isIn(LONG_FOLDERS, one))),
    hosts: all.filter((file) => isIn(HOST_FOLDERS, file)),
  };
}

function testsAt(path: string): string[] {
  const kind = statSync(path, { throwIfNoEntry: false });
  if (kind === undefined) throw new HsctlError('usage', `${path}: no such file or folder`);
  if (kind.isFile()) return [path];
  const found = globSync('**/*.test.ts', { cwd: path }).map((file) => join(path, file));
  if (found.length === 0) throw new HsctlError('usage', `${path}: holds no *.test.ts`);
  return found;
}
