import type { FilePath } from './problem.ts';

/** What a check of the whole configuration has to say, not yet placed in the file. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  /** Places that are to blame; the first that the file really has is named. At least one. */
  readonly paths: readonly [FilePath, ...FilePath[]];
  readonly found: string;
  readonly remedy: string;
}

export function error(paths: Finding['paths'], found: string, remedy: string): Finding {
  return { severity: 'error', paths, found, remedy };
}

export function warning(paths: Finding['paths'], found: string, remedy: string): Finding {
  return { severity: 'warning', paths, found, remedy };
}
