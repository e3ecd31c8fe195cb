import { SHARDS, SHARD_BITS } from './fingerprint.ts';

/**
 * From a key's fingerprint to its record's place, outside the JavaScript heap: 1,024 open-addressed tables of 16 bytes
 * a slot. A table grows by a quarter when it is 84 % full, so a key costs 19 to 24 bytes; since there are many and
 * each grows by itself, no growth takes longer than some milliseconds up to hundreds of millions of keys.
 *
 * Slots of a table are in the order of `a`, but for those that had to move on to the next free slot. That makes growing
 * a sequential copy, and gives SCAN a cursor that growing does not disturb: the place (shard, a) up to which all was told.
 *
 * Slot: u32 a, u32 b, u32 offset, u32 segment << 16 | tag << 8 | size. Segment 0: empty.
 */
const LEAST_SLOTS = 8;
const FULL = 0.84;
const GROWTH = 1.25;
/** How full a table is made that will grow later. */
const ROOMY = 0.7;
const SHARD_SHIFT = 32 - SHARD_BITS;
const WORD = 2 ** 32;

export interface IndexTables {
  readonly tables: readonly Uint32Array[];
  /** Number of keys in each. */
  readonly used: Uint32Array;
}

export class KeyIndex {
  /** Number of keys. */
  count = 0;
  /** Place that the last call found, or replaced; segment 0 if there was none. */
  segment = 0;
  offset = 0;
  size = 0;
  #tables: Uint32Array[] = [];
  #used: Uint32Array = new Uint32Array(SHARDS);
  #visited = 0;

  constructor() {
    const empty = new Uint32Array(4);
    for (let shard = 0; shard < SHARDS; shard++) this.#tables.push(empty);
  }

  /** Memory taken, in bytes. */
  get memoryBytes(): number {
    let bytes = 0;
    for (const table of this.#tables) bytes += table.byteLength;
    return bytes;
  }

  /** All that it knows, to be given to another: this one is of no use any more. */
  get contents(): IndexTables {
    return { tables: this.#tables, used: this.#used };
  }

  /** Takes over what another knows, in place of what this one knew. */
  adopt({ tables, used }: IndexTables): void {
    this.#tables = [...tables];
    this.#used = used;
    this.count = used.reduce((sum, keys) => sum + keys, 0);
  }

  /**
   * Reads the places where keys belong, so that the processor has them near when they are asked for; finds nothing. The
   * keys stand in words[from, to), `a`, `b` and `c` (or a mark) at the start of every `stride` words.
   */
  approach(words: Uint32Array, from: number, to: number, stride: number): void {
    let seen = 0;
    for (let at = from; at < to; at += stride) {
      const table = this.#tables[words[at + 2]! >>> SHARD_SHIFT]!;
      seen ^= table[home(table, words[at]!) + 3]!;
    }
    // A compiler may leave out a read whose result goes nowhere.
    this.offset = seen;
    this.segment = 0;
  }

  /** Whether the key is known; its place is in the fields. */
  find(a: number, b: number, c: number): boolean {
    const table = this.#tables[c >>> SHARD_SHIFT]!;
    const at = slotOf(table, a, b, c & 0xff);
    if (at < 0) {
      this.segment = 0;
      return false;
    }
    this.#tell(table, at);
    return true;
  }

  /** Sets a key's place; the former one is in the fields. */
  set(a: number, b: number, c: number, segment: number, offset: number, size: number): void {
    const shard = c >>> SHARD_SHIFT;
    let table = this.#tables[shard]!;
    const tag = c & 0xff;
    let at = slotOf(table, a, b, tag);
    if (at >= 0) {
      this.#tell(table, at);
    } else {
      this.segment = 0;
      if (this.#used[shard]! + 1 > (table.length >>> 2) * FULL) {
        table = this.#resize(shard, Math.max(LEAST_SLOTS, Math.ceil((table.length >>> 2) * GROWTH)));
      }
      at = freeSlot(table, a);
      this.#used[shard] = this.#used[shard]! + 1;
      this.count += 1;
      table[at] = a;
      table[at + 1] = b;
    }
    table[at + 2] = offset;
    table[at + 3] = (segment << 16) | (tag << 8) | size;
  }

  /** Sets a key's place if the former one is as told, and that one is in the fields then; else false. */
  move(
    a: number,
    b: number,
    c: number,
    formerSegment: number,
    formerOffset: number,
    segment: number,
    offset: number,
    size: number,
  ): boolean {
    const table = this.#tables[c >>> SHARD_SHIFT]!;
    const tag = c & 0xff;
    const at = slotOf(table, a, b, tag);
    if (at < 0 || table[at + 3]! >>> 16 !== formerSegment || table[at + 2] !== formerOffset) return false;
    this.#tell(table, at);
    table[at + 2] = offset;
    table[at + 3] = (segment << 16) | (tag << 8) | size;
    return true;
  }

  /** Forgets a key; false if it was not known, else its place is in the fields. */
  delete(a: number, b: number, c: number): boolean {
    const shard = c >>> SHARD_SHIFT;
    const table = this.#tables[shard]!;
    const at = slotOf(table, a, b, c & 0xff);
    if (at < 0) {
      this.segment = 0;
      return false;
    }
    this.#tell(table, at);
    closeGap(table, at);
    this.#used[shard] = this.#used[shard]! - 1;
    this.count -= 1;
    return true;
  }

  /** Makes room for up to so many keys in one table before they are added. */
  reserve(shard: number, keys: number): void {
    const slots = Math.ceil((keys + 1) / ROOMY);
    if (slots > this.#tables[shard]!.length >>> 2) this.#resize(shard, slots);
  }

  /** Makes room for about so many keys in all, spread over the tables as chance has it. */
  expect(keys: number): void {
    const each = keys / SHARDS;
    for (let shard = 0; shard < SHARDS; shard++) this.reserve(shard, Math.ceil(each + 4 * Math.sqrt(each)));
  }

  /** Gives back what was reserved in vain. */
  trim(shard: number): void {
    const slots = Math.ceil((this.#used[shard]! + 1) / ROOMY);
    if (slots * GROWTH < this.#tables[shard]!.length >>> 2) this.#resize(shard, slots);
  }

  /**
   * Calls `visit` with the place of keys from `cursor` on until at least `count` were visited; returns the cursor to go
   * on from, 0 at the end. What is before a cursor depends on fingerprints alone, so growth in between changes nothing.
   */
  scan(cursor: number, count: number, visit: (segment: number, offset: number, size: number) => void): number {
    let at = cursor;
    const keysBefore = this.#visited;
    while (at < SHARDS * WORD) {
      at = this.#scanRun(Math.floor(at / WORD), at % WORD, visit);
      if (this.#visited - keysBefore >= count) break;
    }
    return at < SHARDS * WORD ? at : 0;
  }

  /** Visits the first run of full slots from `a` on; all keys below the returned place were visited then. */
  #scanRun(shard: number, a: number, visit: (segment: number, offset: number, size: number) => void): number {
    const table = this.#tables[shard]!;
    const { length } = table;
    let at = home(table, a);
    while (at < length && table[at + 3]! < 0x10000) at += 4;
    // Keys that went round to the start of the table belong to its end: they are visited there.
    for (; at < length && table[at + 3]! >= 0x10000; at += 4) {
      if (table[at]! >= a && home(table, table[at]!) <= at) this.#visit(table, at, visit);
    }
    if (at < length) return shard * WORD + Math.ceil(((at >>> 2) * WORD) / (length >>> 2));
    for (at = 0; at < length && table[at + 3]! >= 0x10000; at += 4) {
      if (table[at]! >= a && home(table, table[at]!) > at) this.#visit(table, at, visit);
    }
    return (shard + 1) * WORD;
  }

  #visit(table: Uint32Array, at: number, visit: (segment: number, offset: number, size: number) => void): void {
    this.#visited += 1;
    visit(table[at + 3]! >>> 16, table[at + 2]!, table[at + 3]! & 0xff);
  }

  #tell(table: Uint32Array, at: number): void {
    const place = table[at + 3]!;
    this.segment = place >>> 16;
    this.offset = table[at + 2]!;
    this.size = place & 0xff;
  }

  #resize(shard: number, slots: number): Uint32Array {
    const old = this.#tables[shard]!;
    // Written at once: memory that is read first gets a page of zeros, and another one when it is written, with a halt of all threads.
    const table = new Uint32Array(slots * 4).fill(0);
    for (let at = 0; at < old.length; at += 4) {
      if (old[at + 3]! < 0x10000) continue;
      const to = freeSlot(table, old[at]!);
      table[to] = old[at]!;
      table[to + 1] = old[at + 1]!;
      table[to + 2] = old[at + 2]!;
      table[to + 3] = old[at + 3]!;
    }
    this.#tables[shard] = table;
    return table;
  }
}

/** Index of the first word of the slot where a key with this `a` belongs. */
function home(table: Uint32Array, a: number): number {
  return Math.floor((a * (table.length >>> 2)) / WORD) << 2;
}

function slotOf(table: Uint32Array, a: number, b: number, tag: number): number {
  let at = home(table, a);
  for (;;) {
    const place = table[at + 3]!;
    if (place < 0x10000) return -1;
    if (table[at] === a && table[at + 1] === b && ((place >>> 8) & 0xff) === tag) return at;
    at += 4;
    if (at === table.length) at = 0;
  }
}

function freeSlot(table: Uint32Array, a: number): number {
  let at = home(table, a);
  while (table[at + 3]! >= 0x10000) {
    at += 4;
    if (at === table.length) at = 0;
  }
  return at;
}

/** Empties a slot and moves those behind it up that would not be found across the gap. */
function closeGap(table: Uint32Array, gap: number): void {
  const { length } = table;
  let at = gap;
  for (;;) {
    at += 4;
    if (at === length) at = 0;
    if (table[at + 3]! < 0x10000) break;
    const wanted = home(table, table[at]!);
    // Whether the wanted slot lies, going round, in (gap, at]: then the entry may stay.
    if (gap < at ? wanted > gap && wanted <= at : wanted > gap || wanted <= at) continue;
    table.copyWithin(gap, at, at + 4);
    gap = at;
  }
  table[gap + 3] = 0;
}
