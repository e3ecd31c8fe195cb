import * as Flags from './flags.ts';
import { chmodSync, closeSync, openSync, realpathSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isHost } from '../kit/address.ts';
import { HsctlError, messageOf } from '../kit/errors.ts';
import { makeDirectory } from '../kit/make-directory.ts';

/** Flags of the commands that write a configuration. */
export const writeFlags = {
  output: Flags.string({ char: 'o', helpValue: 'FILE', description: 'write the file; default: print it' }),
  force: Flags.boolean({ description: 'replace a file that is there' }),
};

/** `--address a=10.0.0.11`; gives node and address. */
export const nodeAddressFlag = Flags.custom((text): readonly [string, string] => {
  const [, node = '', address = ''] = /^([ab])=(.+)$/.exec(text) ?? [];
  if (node !== '' && isHost(address)) return [node, address];
  throw new HsctlError('usage', `${text} is no address of a node`, 'write it like --address a=10.0.0.11');
})({ multiple: true, helpValue: 'NODE=ADDRESS', description: 'address of node a or b' });

/**
 * Writes the file that `--output` names; null if it names none.
 * @throws HsctlError('refused') if there is one and it is not to be replaced
 */
export function saveConfig(
  flags: { readonly output?: string | undefined; readonly force: boolean },
  text: string,
): string | null {
  const { output, force } = flags;
  if (output === undefined) return null;
  try {
    makeDirectory(dirname(output));
    if (force && statSync(output, { throwIfNoEntry: false }) !== undefined) replace(output, text);
    else writeNew(output, text);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new HsctlError('refused', `${output} is there already`, 'name another file, or replace it with --force');
    throw new HsctlError('failed', `${output || '""'}: ${messageOf(error)}`, 'name a place that can be written', {
      cause: error,
    });
  }
  return output;
}

/** A disk that fills up leaves the former file as it was. */
function replace(path: string, text: string): void {
  const target = realpathSync(path);
  const facts = statSync(target);
  if (!facts.isFile()) throw new Error('is there and is no file');
  const aside = `${target}.new-${process.pid}`;
  writeNew(aside, text);
  chmodSync(aside, facts.mode);
  renameSync(aside, target);
}

/** A disk that fills up leaves no empty file behind, which would be in the way of the next attempt. */
function writeNew(path: string, text: string): void {
  const file = openSync(path, 'wx');
  try {
    writeFileSync(file, text);
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(file);
  }
}
