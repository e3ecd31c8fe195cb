import { z } from 'zod';
import { crc32 } from '../../kit/crc32.ts';
import { HsctlError } from '../../kit/errors.ts';
import type { Random } from '../../kit/random.ts';
import type { Disk } from './disk.ts';
import { Damage, damagedFile } from './disk-failure.ts';
import type { FingerprintKey } from './fingerprint.ts';
import type { AgentMemory } from './log.ts';
import { readWhole, writeDurably, writeDurablyLater } from './write-durably.ts';

const FILE = 'meta.json';
const LIMIT_BYTES = 64 * 1024;

const count = z.number().int().nonnegative();
const metaSchema = z.strictObject({
  version: z.literal(1),
  /** Random name of the secret, known to the hint files: the same on nodes of which one began from nothing under the other. */
  store: z.string(),
  /** Secret of the index' fingerprints. */
  key: z.tuple([count, count, count, count]),
  /** Start of the machine under which the store was last open. */
  boot: z.string(),
  /** Closed in good order: everything was on stable storage. */
  clean: z.boolean(),
  /** Everything was synced before it was confirmed. */
  syncsAlways: z.boolean(),
  intact: z.boolean(),
  /** Below this seq the log cannot be cut: older records were dropped because of newer ones up to here. */
  floor: count,
  /** Archive to which the whole log is being moved; null mostly. */
  movingTo: z.string().nullable(),
  /** Highest epoch seen. */
  epoch: count,
  longestGrantMs: z.number().nonnegative(),
  /** This node has acknowledged records alone that no other is known to hold. */
  confirmedAlone: z.boolean(),
  /**
   * `log`: a read found damage in the log, which is read through before it is used again. `memory`: this file itself was
   * damaged, so the log has to be made anew.
   */
  damaged: z.enum(['log', 'memory']).nullable(),
});
type Meta = z.infer<typeof metaSchema>;

/**
 * The meta file of a store, as it is; null if there is none. It has two lines: JSON, and the CRC-32 of the first in hex.
 * @throws HsctlError('disk') if it is damaged or of another version.
 */
export function readMeta(disk: Disk, directory: string): Meta | null {
  const path = `${directory}/${FILE}`;
  const bytes = readWhole(disk, path, LIMIT_BYTES);
  if (bytes === null) return null;
  const text = new TextDecoder().decode(bytes);
  const [json = '', sum] = text.split('\n');
  if (sum !== checksum(json)) throw damagedFile(path, 0, 'its checksum is wrong');
  try {
    return metaSchema.parse(JSON.parse(json));
  } catch (error) {
    const hint =
      'use the version of hsctl that wrote it, or move the store directory away and copy the state from the peer';
    throw new HsctlError('disk', `${path} is of another version of hsctl`, hint, { cause: error });
  }
}

function checksum(json: string): string {
  return crc32(new TextEncoder().encode(json)).toString(16).padStart(8, '0');
}

/**
 * The few durable values of a store. Each change is on stable storage when the call that made it returns, or what it
 * returned resolves.
 */
export class StoreMeta implements AgentMemory {
  readonly #disk: Disk;
  readonly #directory: string;
  /** Whether the machine ran without a break since the store was last open. */
  readonly sameBoot: boolean;
  /** Whether the store was last closed in good order. */
  readonly wasClean: boolean;
  #meta: Meta;
  #saves = 0;

  private constructor(disk: Disk, directory: string, meta: Meta, former: Meta) {
    this.sameBoot = former.boot === meta.boot;
    this.wasClean = former.clean;
    this.#disk = disk;
    this.#directory = directory;
    this.#meta = meta;
  }

  /**
   * Opens the store's meta file, or makes it, and works out whether the log is intact: it is, if it was and the
   * machine did not go down since, or only after an orderly end, or everything was synced before it was confirmed.
   */
  static open(disk: Disk, directory: string, syncsAlways: boolean, random: Random): StoreMeta {
    return StoreMeta.#from(readMeta(disk, directory), disk, directory, syncsAlways, random);
  }

  /** The same; a damaged file is kept under another name, and one takes its place that knows nothing but that. */
  static openDamaged(disk: Disk, directory: string, syncsAlways: boolean, random: Random): StoreMeta {
    try {
      return StoreMeta.open(disk, directory, syncsAlways, random);
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      const bytes = readWhole(disk, `${directory}/${FILE}`, LIMIT_BYTES) ?? new Uint8Array(0);
      let name = `${FILE}.damaged`;
      for (let number = 2; disk.stat(`${directory}/${name}`) !== null; number++) name = `${FILE}.damaged-${number}`;
      writeDurably(disk, directory, name, [bytes]);
      const former: Meta = { ...newMeta(disk.bootId(), random), damaged: 'memory', confirmedAlone: true };
      return StoreMeta.#from(former, disk, directory, syncsAlways, random);
    }
  }

  static #from(found: Meta | null, disk: Disk, directory: string, syncsAlways: boolean, random: Random): StoreMeta {
    const boot = disk.bootId();
    const former = found ?? newMeta(boot, random);
    const kept = former.boot === boot || former.clean || former.syncsAlways;
    const meta = { ...former, boot, clean: false, syncsAlways, intact: former.intact && kept };
    const opened = new StoreMeta(disk, directory, meta, former);
    opened.#save(meta);
    return opened;
  }

  get store(): string {
    return this.#meta.store;
  }

  get key(): FingerprintKey {
    return this.#meta.key;
  }

  /** Another secret, with the name under which hint files know it. The log must be empty. */
  setIndexKey(store: string, key: FingerprintKey): void {
    this.#change({ store, key: [...key] });
  }

  get intact(): boolean {
    return this.#meta.intact;
  }

  get movingTo(): string | null {
    return this.#meta.movingTo;
  }

  get floor(): number {
    return this.#meta.floor;
  }

  get epoch(): number {
    return this.#meta.epoch;
  }

  get longestGrantMs(): number {
    return this.#meta.longestGrantMs;
  }

  get confirmedAlone(): boolean {
    return this.#meta.confirmedAlone;
  }

  get damaged(): Meta['damaged'] {
    return this.#meta.damaged;
  }

  save(change: Parameters<AgentMemory['save']>[0]): void {
    this.#change(change);
  }

  /** What was found to be damaged, once; null: the log was read through and is whole. */
  setDamaged(damaged: 'log' | null): void {
    if (this.#meta.damaged !== 'memory') this.#change({ damaged });
  }

  setIntact(intact: boolean): void {
    this.#change({ intact });
  }

  setFloor(floor: number): void {
    this.#change({ floor });
  }

  /** Sets the floor, if it is higher than the present one, without holding up the caller. Not to be called while it runs. */
  async raiseFloor(floor: number): Promise<void> {
    const former = this.#meta.floor;
    if (floor <= former) return;
    this.#meta = { ...this.#meta, floor };
    const saves = this.#saves;
    try {
      // Whoever saves meanwhile saves the floor too.
      await writeDurablyLater(this.#disk, this.#directory, FILE, encoded(this.#meta), () => this.#saves === saves);
    } catch (error) {
      if (this.#meta.floor === floor) this.#meta = { ...this.#meta, floor: former };
      throw error;
    }
  }

  /** To be called when the store is closed and everything is synced. */
  setClean(): void {
    this.#change({ clean: true });
  }

  /** The whole log is about to be moved away. */
  beginMove(to: string): void {
    this.#change({ intact: false, movingTo: to });
  }

  endMove(): void {
    this.#change({ floor: 0, movingTo: null, damaged: null });
  }

  #change(change: Partial<Meta>): void {
    const fields = Object.entries(change);
    if (fields.every(([name, value]) => this.#meta[name as keyof Meta] === value)) return;
    this.#save({ ...this.#meta, ...change });
  }

  /** What the disk refused counts for nothing: asked for again, it is written again. */
  #save(meta: Meta): void {
    writeDurably(this.#disk, this.#directory, FILE, [encoded(meta)]);
    this.#meta = meta;
    this.#saves += 1;
  }
}

function encoded(meta: Meta): Uint8Array {
  const json = JSON.stringify(meta);
  return new TextEncoder().encode(`${json}\n${checksum(json)}\n`);
}

function newMeta(boot: string, random: Random): Meta {
  const word = (): number => Math.floor(random() * 2 ** 32);
  const store = [word(), word(), word(), word()].map((part) => part.toString(16).padStart(8, '0')).join('');
  return {
    version: 1,
    store,
    key: [word(), word(), word(), word()],
    boot,
    clean: false,
    syncsAlways: false,
    intact: false,
    floor: 0,
    movingTo: null,
    epoch: 0,
    longestGrantMs: 0,
    confirmedAlone: false,
    damaged: null,
  };
}
