import { HsctlError } from '../../../kit/errors.ts';
import type { Disk } from '../disk.ts';
import { ENTRY_WORDS, isTombstone } from '../entry-list.ts';
import { SHARDS } from '../fingerprint.ts';
import { GROUP_SHARDS, Hint } from '../hint-file.ts';
import { KeyIndex } from '../key-index.ts';
import type { LivenessAnswer, RewriteInput, RewriteJob } from './rewriter.ts';

/** Entries that are asked for at once: the answer takes the log's own thread about a millisecond. */
const QUESTION_ENTRIES = 4096;

/**
 * First half of a rewrite: which records stay. In the index that it returns a place is the number of an input, from 1,
 * and an offset. Within the run only the last record of a key can be of use; of those the log itself is asked.
 */
export async function findLive(disk: Disk, job: RewriteJob, answer: LivenessAnswer): Promise<KeyIndex> {
  const kept = new KeyIndex();
  const hints: Hint[] = [];
  try {
    for (const input of job.inputs) hints.push(openHint(disk, input, job.store));
    for (let shard = 0; shard < SHARDS; shard += GROUP_SHARDS) {
      const groups = hints.map((hint, number) => readGroup(hint, shard, job.inputs[number]!));
      for (const [number, words] of groups.entries()) takeLast(kept, words, number + 1);
      for (const [number, words] of groups.entries()) {
        await dropDead(kept, words, number, job.inputs[number]!.dropsDeletes, answer);
      }
    }
    return kept;
  } finally {
    for (const hint of hints) hint.close();
  }
}

function openHint(disk: Disk, input: RewriteInput, store: string): Hint {
  const hint = Hint.open(disk, input.hintPath, store);
  if (hint === null) throw damagedHint(input);
  return hint;
}

function readGroup(hint: Hint, shard: number, input: RewriteInput): Uint32Array {
  const words = hint.readGroup(shard);
  if (words === null) throw damagedHint(input);
  return words;
}

function damagedHint(input: RewriteInput): HsctlError {
  const hint = 'restart the agent, which makes it again';
  return new HsctlError(
    'disk',
    `hint file ${input.hintPath} is missing or damaged: its segment is not compacted`,
    hint,
  );
}

function takeLast(kept: KeyIndex, words: Uint32Array, input: number): void {
  for (let at = 0; at < words.length; at += ENTRY_WORDS) {
    kept.set(words[at]!, words[at + 1]!, words[at + 2]!, input, words[at + 3]!, 0);
  }
}

async function dropDead(
  kept: KeyIndex,
  words: Uint32Array,
  input: number,
  dropsDeletes: boolean,
  answer: LivenessAnswer,
): Promise<void> {
  const asked = lastOnes(kept, words, input, dropsDeletes);
  for (let from = 0; from < asked.length; from += QUESTION_ENTRIES * ENTRY_WORDS) {
    const entries = asked.slice(from, from + QUESTION_ENTRIES * ENTRY_WORDS);
    const live = await answer(input, entries);
    for (let number = 0; number < live.length; number++) {
      const at = number * ENTRY_WORDS;
      if (live[number] === 0) kept.delete(entries[at]!, entries[at + 1]!, entries[at + 2]!);
    }
  }
}

/** The entries that are the last of their keys in the run; deletes that may be forgotten are dropped here. */
function lastOnes(kept: KeyIndex, words: Uint32Array, input: number, dropsDeletes: boolean): Uint32Array {
  const last = new Uint32Array(words.length);
  let length = 0;
  for (let at = 0; at < words.length; at += ENTRY_WORDS) {
    const a = words[at]!;
    const b = words[at + 1]!;
    const mark = words[at + 2]!;
    const offset = words[at + 3]!;
    if (!kept.find(a, b, mark) || kept.segment !== input + 1 || kept.offset !== offset) continue;
    if (dropsDeletes && isTombstone(mark)) {
      kept.delete(a, b, mark);
      continue;
    }
    last.set(words.subarray(at, at + ENTRY_WORDS), length);
    length += ENTRY_WORDS;
  }
  return last.subarray(0, length);
}
