import type { Clock } from '../../src/kit/clock.ts';
import { inlineIndexBuilder } from '../replication/log/inline-index-builder.ts';
import { inlineRewriter } from '../replication/log/inline-rewriter.ts';
import { DiskLog } from '../../src/replication/log/disk-log.ts';
import { MemoryDisk } from './memory-disk.ts';
import { MirroredLog } from './mirrored-log.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimProcess } from './sim-process.ts';
import type { SimStore } from './sim-store.ts';
import type { World } from './world.ts';

const DIRECTORY = '/store';
/** Small ones, so that segments are sealed, compacted and forgotten all the time. */
const SEGMENT_BYTES = 4096;
const TOMBSTONES_MS = 1000;

/** A disk whose every change is an effect of the process that makes it, so that it may die between any two. */
class ProcessDisk extends MemoryDisk {
  user: SimProcess | null = null;

  override change(path: string): void {
    if (this.user !== null && !this.user.effect()) this.changesLeft = 0;
    try {
      super.change(path);
    } finally {
      if (this.user === null) this.changesLeft = Infinity;
    }
  }
}

/** The real log's files on a simulated disk of one node. */
export class RealStore {
  readonly #disk: ProcessDisk;
  readonly #mirror: SimStore;
  readonly #world: World;
  readonly #random: SeededRandom;

  constructor(mirror: SimStore, world: World, random: SeededRandom) {
    this.#mirror = mirror;
    this.#world = world;
    this.#random = random;
    this.#disk = new ProcessDisk({
      random: random.next,
      wallMs: () => world.nowMs,
      latency: () => this.#later(random.spread(0.1, 3) * mirror.slowness),
    });
  }

  /** Opens the log for a new run of the agent. */
  open(process: SimProcess): MirroredLog {
    const disk = this.#disk;
    const log = this.#open(process);
    disk.user = process;
    process.onDeath.push(() => {
      disk.user = null;
      disk.kill();
    });
    this.#compare(log);
    return new MirroredLog(log, process, this.#mirror);
  }

  /** The machine went down: what is left is what a start finds. */
  losePower(): void {
    const disk = this.#disk;
    const { readOnly } = disk;
    const nowMs = (): number => this.#world.nowMs;
    disk.powerOff();
    disk.readOnly = false;
    const log = this.#open({ monotonicMs: nowMs, wallMs: nowMs });
    const { end } = log;
    disk.kill();
    disk.readOnly = readOnly;
    if (log.damage !== null) this.#world.broken('disk', `damage without a fault: ${log.damage.message}`);
    if (this.#mirror.cuttingTo !== null) this.#compare(log);
    else if (end.seq < this.#mirror.end.seq) this.#mirror.lose(end.seq);
  }

  /** Takes or refuses changes. */
  setBroken(broken: boolean): void {
    this.#disk.readOnly = broken;
  }

  #open(clock: Clock): DiskLog {
    const disk = this.#disk.mount();
    return DiskLog.open({
      disk,
      directory: DIRECTORY,
      segmentBytes: SEGMENT_BYTES,
      tombstonesMs: TOMBSTONES_MS,
      fsyncAlways: this.#mirror.syncsAlways,
      clock,
      readBackTimers: null,
      random: this.#random.next,
      rewriter: inlineRewriter(disk),
      startIndexBuilder: inlineIndexBuilder,
      opensDamaged: true,
      onTornTail: () => undefined,
      onTrouble: (error) => this.#world.tell(`store-${this.#mirror.node}`, error.message),
    });
  }

  /** What a start finds has to be what was there; but an end that a cut was taking away, or a last batch, may be gone. */
  #compare(log: DiskLog): void {
    const { end } = log;
    const mirror = this.#mirror;
    const { cuttingTo } = mirror;
    mirror.cuttingTo = null;
    if (end.seq < mirror.end.seq) {
      if (cuttingTo === end.seq) mirror.cut(end.seq);
      else mirror.lose(end.seq);
    }
    const same = end.seq === mirror.end.seq && end.epoch === mirror.end.epoch && end.hash === mirror.end.hash;
    if (!same) {
      const names = [end, mirror.end].map(({ epoch, seq }) => `${epoch}-${seq}`);
      this.#world.broken('disk', `the log of ${mirror.node} ends at ${names[0]}, it should end at ${names[1]}`);
    }
  }

  /** Resolves when the disk is done and the process goes on; never if that died meanwhile. */
  #later(delayMs: number): Promise<void> {
    const { user } = this.#disk;
    return new Promise((resolve) => {
      this.#world.after(delayMs, () => user?.run(resolve));
    });
  }
}
