import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Random } from '../../../src/kit/random.ts';
import { inlineIndexBuilder } from './inline-index-builder.ts';
import { inlineRewriter } from './inline-rewriter.ts';
import { LOG_START } from '../../../src/model/position.ts';
import { DiskLog } from '../../../src/replication/log/disk-log.ts';
import { MemoryDisk } from '../../sim/memory-disk.ts';
import { checkLog } from './check-log.ts';
import { LogModel, type ModelRecord } from './log-model.ts';
import { shipLog } from './ship-log.ts';

type Simple = 'sync' | 'reopen' | 'kill' | 'powerOff' | 'reset' | 'check' | 'confirm' | 'compact' | 'wait' | 'idle';

/** What ends a transfer to a slave, after so many batches. */
interface ShipStop {
  readonly batches: number;
  readonly ending: 'settle' | 'reopen' | 'kill' | 'powerOff' | 'own';
}

/** One step of a random life of a log. `dies`: after how many changes of the disk the process is killed in the middle. */
export type Command =
  | { readonly kind: 'append'; readonly records: readonly ModelRecord[]; readonly newEpoch: boolean }
  | { readonly kind: Simple }
  | { readonly kind: 'cut'; readonly back: number }
  | { readonly kind: 'ship'; readonly stops: readonly ShipStop[] }
  | { readonly kind: 'killWithin' | 'powerOffWithin'; readonly changes: number; readonly command: Command };

const TOMBSTONES_MS = 60_000;

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'longer-key-0123456789', 'é', ''];

const key = fc.constantFrom(...KEYS);
const anyRecord: fc.Arbitrary<ModelRecord> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('set' as const), key, value: fc.string({ maxLength: 30 }) }) },
  { weight: 1, arbitrary: key.map((name) => ({ kind: 'set' as const, key: name, value: name, times: 4500 })) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reign' as const, master: 'a' }) },
  { weight: 1, arbitrary: fc.constantFrom(['a'], ['a', 'b']).map((nodes) => ({ kind: 'inSync' as const, nodes })) },
);
const append: fc.Arbitrary<Command> = fc.record({
  kind: fc.constant('append' as const),
  records: fc.array(anyRecord, { minLength: 1, maxLength: 6 }),
  newEpoch: fc.boolean(),
});
const simple = (...kinds: Simple[]): fc.Arbitrary<Command> => fc.constantFrom(...kinds).map((kind) => ({ kind }));
const cut: fc.Arbitrary<Command> = fc.record({ kind: fc.constant('cut' as const), back: fc.nat(5) });
const ship: fc.Arbitrary<Command> = fc.record({
  kind: fc.constant('ship' as const),
  stops: fc.array(
    fc.record({
      batches: fc.nat(12),
      ending: fc.constantFrom(
        'settle' as const,
        'reopen' as const,
        'kill' as const,
        'powerOff' as const,
        'own' as const,
      ),
    }),
    { maxLength: 3 },
  ),
});
const interrupted: fc.Arbitrary<Command> = fc.record({
  kind: fc.constantFrom('killWithin' as const, 'powerOffWithin' as const),
  changes: fc.nat(25),
  command: fc.oneof(append, cut, simple('sync', 'reset', 'reopen', 'compact', 'compact', 'compact')),
});

export const anyCommands = fc.array(
  fc.oneof(
    { weight: 10, arbitrary: append },
    { weight: 7, arbitrary: simple('sync', 'check', 'confirm', 'compact', 'compact', 'wait', 'idle', 'idle') },
    { weight: 2, arbitrary: simple('reopen', 'kill', 'powerOff') },
    { weight: 2, arbitrary: cut },
    { weight: 1, arbitrary: ship },
    { weight: 3, arbitrary: interrupted },
    { weight: 1, arbitrary: simple('reset') },
  ),
  { minLength: 10, maxLength: 80, size: 'max' },
);

/** A log on a disk that fails, and beside it the model of what it must hold. */
export class LogLife {
  readonly #disk: MemoryDisk;
  readonly #random: Random;
  #model = new LogModel();
  #log: DiskLog;
  /** Nothing up to here may be lost, whatever happens. */
  #durable = 0;
  /** Up to here the log is never cut. */
  #confirmed = 0;
  #wallMs = 1_000_000;
  /** A cut or reset that was cut short may have got as far as this seq. */
  #lowest = Infinity;

  constructor(random: Random) {
    this.#random = random;
    this.#disk = new MemoryDisk({ random });
    this.#log = this.#open();
  }

  async run(commands: readonly Command[]): Promise<void> {
    for (const command of commands) await this.#do(command);
    await this.#do({ kind: 'reopen' });
    await this.#do({ kind: 'check' });
  }

  async #do(command: Command): Promise<void> {
    switch (command.kind) {
      case 'append':
        return this.#append(command.records, command.newEpoch);
      case 'sync':
        this.#durable = Math.max(this.#durable, (await this.#log.sync()).seq);
        return;
      case 'check':
        return checkLog(this.#log, this.#model, KEYS);
      case 'confirm':
        this.#confirmed = this.#model.end.seq;
        return this.#log.setConfirmed(this.#confirmed);
      case 'compact':
        await this.#do({ kind: 'confirm' });
        await this.#log.compact();
        return;
      case 'idle':
        for (let turns = 0; turns < 60; turns++) await new Promise((resolve) => setImmediate(resolve));
        return;
      case 'wait':
        this.#wallMs += TOMBSTONES_MS;
        return;
      case 'cut':
        return this.#cut(command.back);
      case 'ship':
        return this.#ship(command.stops);
      case 'reset':
        return this.#reset();
      case 'reopen':
        await this.#log.close();
        this.#durable = this.#model.end.seq;
        this.#log = this.#open();
        return;
      case 'kill':
        this.#disk.kill();
        return this.#reopen(this.#model.end.seq);
      case 'powerOff':
        this.#disk.powerOff();
        return this.#reopen(this.#durable);
      default:
        return this.#interrupted(command);
    }
  }

  #append(records: readonly ModelRecord[], newEpoch: boolean): void {
    const epoch = Math.max(1, this.#model.end.epoch + (newEpoch ? 1 : 0));
    const bytes = LogModel.bytesOf(records, epoch, this.#model.end);
    this.#log.append(bytes);
    this.#model.add(records, bytes);
  }

  async #cut(back: number): Promise<void> {
    const { positions } = this.#model;
    const wanted = positions[Math.max(0, positions.length - 1 - back)]!;
    const position = positions.find(({ seq }) => seq >= Math.max(wanted.seq, this.#confirmed))!;
    this.#lowest = position.seq;
    await this.#log.cut(position);
    this.#model.cut(position.seq);
    this.#durable = Math.min(this.#durable, position.seq);
    this.#lowest = Infinity;
  }

  /** A slave that begins with nothing gets all of the log, with breaks; it must hold the same then. */
  async #ship(stops: readonly ShipStop[]): Promise<void> {
    const disk = new MemoryDisk({ random: this.#random });
    let slave = this.#open(disk);
    slave.takeIndexKey(this.#log.indexKey, this.#log.count);
    for (const { batches, ending } of stops) {
      let left = batches;
      // A crash comes in the middle of a change of the disk.
      if (ending === 'kill' || ending === 'powerOff') disk.changesLeft = left;
      try {
        await shipLog(this.#log, slave, async () => left-- === 0);
      } catch (error) {
        if (disk.changesLeft >= 0) throw error;
      }
      slave = await this.#endTransfer(disk, slave, ending);
    }
    await shipLog(this.#log, slave, async () => false);
    await slave.settle();
    await checkLog(slave, this.#model, KEYS);
    await slave.close();
    slave = this.#open(disk);
    await checkLog(slave, this.#model, KEYS);
    await slave.close();
  }

  async #endTransfer(disk: MemoryDisk, slave: DiskLog, ending: ShipStop['ending']): Promise<DiskLog> {
    if (ending === 'settle') {
      await slave.settle();
      return slave;
    }
    if (ending === 'own') {
      const { end } = slave;
      slave.append(LogModel.bytesOf([{ kind: 'set', key: 'own', value: '' }], end.epoch + 1, end), true);
      await slave.cut(end.seq === 0 ? LOG_START : end);
      return slave;
    }
    if (ending === 'reopen') await slave.close();
    else disk[ending]();
    return this.#open(disk);
  }

  async #reset(): Promise<void> {
    this.#lowest = 0;
    await this.#log.reset();
    this.#model = new LogModel();
    this.#durable = 0;
    this.#confirmed = 0;
    this.#lowest = Infinity;
  }

  async #interrupted(command: Command & { kind: 'killWithin' | 'powerOffWithin' }): Promise<void> {
    this.#disk.changesLeft = command.changes;
    try {
      await this.#do(command.command);
    } catch (error) {
      if (this.#disk.changesLeft >= 0) throw error;
    }
    if (command.kind === 'killWithin') {
      this.#disk.kill();
      this.#reopen(Math.min(this.#model.end.seq, this.#lowest));
    } else {
      this.#disk.powerOff();
      this.#reopen(Math.min(this.#durable, this.#lowest));
    }
    await this.#do({ kind: 'check' });
  }

  /** Opens what a crash left, which must go to `atLeast`, and sets the model back to it. */
  #reopen(atLeast: number): void {
    this.#log = this.#open();
    this.#lowest = Infinity;
    const { end } = this.#log;
    assert.ok(end.seq >= atLeast, `the log ends with ${end.seq}, ${atLeast} was safe`);
    const known = this.#model.positions.find(({ seq }) => seq === end.seq);
    assert.deepEqual(end, known, 'the log ends where a batch did');
    this.#model.cut(end.seq);
    this.#durable = end.seq;
    this.#confirmed = Math.min(this.#confirmed, end.seq);
  }

  #open(on = this.#disk): DiskLog {
    const disk = on.mount();
    return DiskLog.open({
      disk,
      directory: '/store',
      segmentBytes: 400,
      fsyncAlways: false,
      tombstonesMs: TOMBSTONES_MS,
      clock: { monotonicMs: () => this.#wallMs, wallMs: () => this.#wallMs },
      readBackTimers: null,
      rewriter: inlineRewriter(disk),
      startIndexBuilder: inlineIndexBuilder,
      random: this.#random,
      onTornTail: () => undefined,
      onTrouble: () => undefined,
    });
  }
}
