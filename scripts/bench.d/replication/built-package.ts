import { cpSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Machine } from '../../../test/rig/machine.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Builds what npm would install, in a folder of the machine; resolves to the path of its `hsctl`. */
export async function builtPackage(machine: Machine): Promise<string> {
  const folder = join(machine.dir, 'package');
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  const built = await machine.spawn([tsc, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', join(folder, 'dist')]);
  const { code } = await built.exited;
  if (code !== 0) throw new Error(`the package cannot be built: ${built.tail(10)}`);
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { files: readonly string[] };
  for (const file of ['package.json', ...manifest.files]) {
    if (file !== 'dist') cpSync(join(ROOT, file), join(folder, file), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return join(folder, 'bin/hsctl.js');
}
