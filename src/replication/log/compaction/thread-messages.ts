import { ENTRY_WORDS } from '../entry-list.ts';
import { QUESTION_ENTRIES, type RewriteJob, type RewriteResult } from './rewriter.ts';

/** What goes between the log's own thread and the one that rewrites segments; one job at a time. */
export type ToThread =
  | { readonly type: 'job'; readonly job: RewriteJob }
  | { readonly type: 'answer' }
  | { readonly type: 'abort' };

export type FromThread =
  | { readonly type: 'question'; readonly input: number; readonly entries: number }
  | { readonly type: 'done'; readonly result: RewriteResult }
  | { readonly type: 'failed'; readonly message: string; readonly hint: string; readonly damage: boolean };

/** Memory that both threads share, for the entries of a question and its answer: messages only say when to look at it. */
export interface QuestionRoom {
  readonly words: Uint32Array;
  readonly live: Uint8Array;
}

export function questionRoom(): QuestionRoom {
  return {
    words: new Uint32Array(new SharedArrayBuffer(QUESTION_ENTRIES * ENTRY_WORDS * Uint32Array.BYTES_PER_ELEMENT)),
    live: new Uint8Array(new SharedArrayBuffer(QUESTION_ENTRIES)),
  };
}
