import { ENTRY_WORDS, type EntryList, entryMark, isTombstone, markSize } from './entry-list.ts';
import { SHARDS } from './fingerprint.ts';
import { GROUP_SHARDS, type Hint } from './hint-file.ts';
import { KeyIndex } from './key-index.ts';
import type { LogIndex } from './log-index.ts';
import { turn } from './turns.ts';

/** Stands for "no place": no segment has this number. */
const NOWHERE = 0xffff;

/**
 * Where the keys of a tail that is to be cut were before it: the index knows only their last place. Segments are shown to
 * it oldest first.
 */
export class FormerPlaces {
  readonly #places = new KeyIndex();
  readonly #tail: readonly EntryList[];

  constructor(tail: readonly EntryList[]) {
    this.#tail = tail;
    for (const words of tail.flatMap((entries) => entries.chunks)) {
      for (let at = 0; at < words.length; at += ENTRY_WORDS) {
        this.#places.set(words[at]!, words[at + 1]!, words[at + 2]!, NOWHERE, 0, 0);
      }
    }
  }

  /** Takes in what one segment says of these keys. */
  showAll(entries: EntryList, id: number): void {
    for (const words of entries.chunks) this.#show(words, id);
  }

  #show(words: Uint32Array, id: number): void {
    const places = this.#places;
    for (let at = 0; at < words.length; at += ENTRY_WORDS) {
      const a = words[at]!;
      const b = words[at + 1]!;
      const mark = words[at + 2]!;
      if (!places.find(a, b, mark)) continue;
      if (isTombstone(mark)) places.set(a, b, mark, NOWHERE, 0, 0);
      else places.set(a, b, mark, id, words[at + 3]!, markSize(mark));
    }
  }

  /** The same from a hint file, in turns; false if it is damaged. */
  async showHint(hint: Hint, id: number): Promise<boolean> {
    for (let shard = 0; shard < SHARDS; shard += GROUP_SHARDS) {
      const words = hint.readGroup(shard);
      if (words === null) return false;
      this.#show(words, id);
      await turn();
    }
    return true;
  }

  /** Sets the index back to these places. */
  apply(index: LogIndex): void {
    for (const words of this.#tail.flatMap((entries) => entries.chunks)) {
      for (let at = 0; at < words.length; at += ENTRY_WORDS)
        this.#applyOne(index, words[at]!, words[at + 1]!, words[at + 2]!);
    }
  }

  #applyOne(index: LogIndex, a: number, b: number, c: number): void {
    const places = this.#places;
    places.find(a, b, c);
    const { segment, offset, size } = places;
    index.applyEntry(a, b, entryMark(c, size, segment === NOWHERE), offset, segment);
  }
}
