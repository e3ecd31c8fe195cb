import type { FaultKind, Step } from './faults.ts';
import type { LoadFnOutput, LoadHookSync } from 'node:module';

/** A guard that is switched off: one piece of source text replaced while its file is loaded. The file itself stays as it is. */
export interface Mutant {
  readonly name: string;
  /** Path from the root of the project. */
  readonly file: string;
  /** Must be in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Faults that bring the guard into play; all kinds if not given. */
  readonly faults?: readonly FaultKind[];
  /** Instead: the accident that the guard is for, where it takes several faults in a certain order. */
  readonly story?: readonly Step[];
}

export interface MutantHooks {
  readonly hooks: { readonly load: LoadHookSync };
  /** @throws if the file was not loaded. */
  assertApplied(): void;
}

/** Hooks for `registerHooks` of this thread. */
export function mutantHooks({ name, file, find, replace }: Mutant): MutantHooks {
  const target = new URL(`../../${file}`, import.meta.url).href;
  let applied = false;
  const load: LoadHookSync = (url, context, nextLoad): LoadFnOutput => {
    const loaded = nextLoad(url, context);
    if (url !== target) return loaded;
    const source = Buffer.from(loaded.source as Uint8Array).toString();
    const pieces = source.split(find);
    if (pieces.length !== 2) throw new Error(`mutant ${name}: its text is ${pieces.length - 1} times in ${file}`);
    applied = true;
    return { ...loaded, source: pieces.join(replace) };
  };
  return {
    hooks: { load },
    assertApplied() {
      if (!applied) throw new Error(`mutant ${name}: ${file} was not loaded`);
    },
  };
}
