import { HsctlError } from '../../../kit/errors.ts';
import type { Disk } from '../disk.ts';
import { ENTRY_WORDS, isTombstone } from '../entry-list.ts';
import { SHARDS } from '../fingerprint.ts';
import { GROUP_SHARDS, Hint } from '../hint-file.ts';
import { KeyIndex } from '../key-index.ts';
import { OffsetSet } from './offset-set.ts';
import { type LivenessAnswer, QUESTION_ENTRIES, type RewriteInput, type RewriteJob } from './rewriter.ts';

/**
 * First half of a rewrite: which records stay, as a set of offsets for each input. The log itself is asked; of the deletes
 * of a key, which it does not tell apart, only the last of the run.
 */
export async function findLive(disk: Disk, job: RewriteJob, answer: LivenessAnswer): Promise<readonly OffsetSet[]> {
  const kept = job.inputs.map(({ bytes }) => new OffsetSet(bytes));
  const hints: Hint[] = [];
  try {
    for (const input of job.inputs) hints.push(openHint(disk, input, job.store));
    for (let shard = 0; shard < SHARDS; shard += GROUP_SHARDS) {
      const groups = hints.map((hint, number) => readGroup(hint, shard, job.inputs[number]!));
      const deletes = lastDeletes(groups);
      for (const [number, words] of groups.entries()) {
        const asked = candidates(words, deletes, number, job.inputs[number]!.dropsDeletes);
        await keepLive(kept[number]!, asked, number, answer);
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

/** The last delete of each key that has one: its place is the number of the input, from 1, and its offset. */
function lastDeletes(groups: readonly Uint32Array[]): KeyIndex {
  const deletes = new KeyIndex();
  for (const [number, words] of groups.entries()) {
    for (let at = 0; at < words.length; at += ENTRY_WORDS) {
      const mark = words[at + 2]!;
      if (isTombstone(mark)) deletes.set(words[at]!, words[at + 1]!, mark, number + 1, words[at + 3]!, 0);
    }
  }
  return deletes;
}

/** The entries of which the log is asked: all but deletes that have a later one, or that may be forgotten. */
function candidates(words: Uint32Array, deletes: KeyIndex, input: number, dropsDeletes: boolean): Uint32Array {
  if (deletes.count === 0) return words;
  const asked = new Uint32Array(words.length);
  let length = 0;
  for (let at = 0; at < words.length; at += ENTRY_WORDS) {
    const mark = words[at + 2]!;
    if (isTombstone(mark)) {
      if (dropsDeletes) continue;
      deletes.find(words[at]!, words[at + 1]!, mark);
      if (deletes.segment !== input + 1 || deletes.offset !== words[at + 3]!) continue;
    }
    for (let word = 0; word < ENTRY_WORDS; word++) asked[length++] = words[at + word]!;
  }
  return asked.subarray(0, length);
}

async function keepLive(kept: OffsetSet, asked: Uint32Array, input: number, answer: LivenessAnswer): Promise<void> {
  for (let from = 0; from < asked.length; from += QUESTION_ENTRIES * ENTRY_WORDS) {
    const entries = asked.subarray(from, from + QUESTION_ENTRIES * ENTRY_WORDS);
    const live = await answer(input, entries);
    for (let number = 0; number < live.length; number++) {
      if (live[number] === 1) kept.add(entries[number * ENTRY_WORDS + 3]!);
    }
  }
}
