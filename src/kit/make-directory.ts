import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a directory with all that are missing above it; one that is there is left as it is. Node's own recursive way tries
 * for ever where the directory above is there but has no room for others, as in /proc.
 * @throws what the system says, with its code
 */
export function makeDirectory(path: string, mode?: number): void {
  const missing: string[] = [];
  for (let each = resolve(path); isMissing(each); each = dirname(each)) missing.unshift(each);
  for (const each of missing) makeOne(each, mode);
}

/** @throws Error with code EEXIST or ENOTDIR if something else is there */
function isMissing(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found !== undefined && !found.isDirectory())
    throw Object.assign(new Error(`EEXIST: ${path} is no directory`), { code: 'EEXIST' });
  return found === undefined;
}

function makeOne(path: string, mode?: number): void {
  try {
    mkdirSync(path, mode);
  } catch (error) {
    // Somebody else made it just now.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || isMissing(path)) throw error;
  }
}
