import type { RewriteJob, RewriteResult } from './rewriter.ts';

/** What goes between the log's own thread and the one that rewrites segments; one job at a time. */
export type ToThread =
  | { readonly type: 'job'; readonly job: RewriteJob }
  | { readonly type: 'answer'; readonly live: Uint8Array }
  | { readonly type: 'abort' };

export type FromThread =
  | { readonly type: 'question'; readonly input: number; readonly entries: Uint32Array }
  | { readonly type: 'done'; readonly result: RewriteResult }
  | { readonly type: 'failed'; readonly message: string; readonly hint: string; readonly damage: boolean };
