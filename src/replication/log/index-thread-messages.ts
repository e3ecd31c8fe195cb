import type { SortedEntries } from './entry-list.ts';
import type { BuiltIndex } from './index-builder.ts';

/** To the thread that builds an index: `start` first. */
export type ToIndexThread =
  | { readonly type: 'start'; readonly keys: number }
  | { readonly type: 'add'; readonly id: number; readonly entries: SortedEntries }
  | { readonly type: 'finish' };

/** `taken`: so many entries are in the index. */
export type FromIndexThread =
  | { readonly type: 'taken'; readonly entries: number }
  | { readonly type: 'built'; readonly index: BuiltIndex };
