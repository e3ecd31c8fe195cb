import { open } from 'node:fs/promises';
import { messageOf } from '../kit/errors.ts';
import { ProbeFailure } from './reason.ts';

const LIMIT_BYTES = 1024;

/** The first line of a file, read anew for each look, so that a changed password needs no restart; null: none. */
export async function readPassword(path: string | null): Promise<string> {
  if (path === null) return '';
  try {
    await using file = await open(path);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(LIMIT_BYTES), 0, LIMIT_BYTES);
    return buffer.toString('utf8', 0, bytesRead).split(/\r?\n/)[0] ?? '';
  } catch (thrown) {
    throw new ProbeFailure(`the password file cannot be read: ${messageOf(thrown)}`);
  }
}
