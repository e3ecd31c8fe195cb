import type { NewEvent } from '../../src/controller/ports.ts';
import type { GroupRecord } from '../../src/model/group-record.ts';
import type { LogPosition } from '../../src/model/position.ts';
import { BatchCursor } from '../../src/protocol/batch/batch-cursor.ts';
import { BATCH_HEADER_BYTES, OP } from '../../src/protocol/batch/layout.ts';
import type { RecordStore } from './sim-controller.ts';
import type { SimNode } from './sim-node.ts';
import type { SimStore, StoredBatch, StoreWatch } from './sim-store.ts';
import type { World } from './world.ts';

/** A suspended machine that wakes up holds its address until its agent has run once: so long at most after both go. */
const WAKE_GRACE_HEARTBEATS = 2;

/** Longer than the kernel keeps an address that no agent removes: its count, too, stood still while the machine slept. */
const ADDRESS_LIFETIME_LIMIT_MS = 12_000;

/** The invariants of the design, looked at by true time after every event. */
export class Checkers implements StoreWatch {
  readonly #world: World;
  readonly #records: RecordStore;
  readonly #nodes: SimNode[] = [];
  readonly #hashes = new Map<number, Map<number, number>>();
  readonly #owners = new Map<number, string>();
  /** Highest seq that may have been acknowledged, by epoch. */
  readonly #acknowledged = new Map<number, number>();
  /** The same for what a node acknowledged alone: `node epoch`. Nothing makes it forgotten but an operator's word. */
  readonly #acknowledgedAlone = new Map<string, number>();
  /** The same for what both nodes had confirmed, and must outlive the power cut of one. */
  readonly #acknowledgedByBoth = new Map<number, number>();
  readonly #epochs = new Map<string, number>();
  readonly #cursor = new BatchCursor();
  #newestReign = 0;
  /** As recorded last, whatever became of the record. */
  #inSync: readonly string[] = [];
  #hasFormerInSync = false;
  /** An operator accepted that this master lacks records; its reign may begin an epoch or more later, if it fails first. */
  #lossAcceptedWith: string | null = null;
  #doubtfulUntilMs = -Infinity;
  /** An accident or an operator was allowed to lose acknowledged records. */
  lossAllowed = false;
  /** Reigns that began after another one. */
  changes = 0;

  constructor(world: World, records: RecordStore) {
    this.#world = world;
    this.#records = records;
  }

  watch(nodes: readonly SimNode[]): void {
    this.#nodes.push(...nodes);
  }

  /** The controller's clocks are doubtful until then: it may decide nothing. */
  controllerInDoubt(untilMs: number): void {
    this.#doubtfulUntilMs = Math.max(this.#doubtfulUntilMs, untilMs);
  }

  /** A new run of the controller: it has seen nothing doubtful yet. */
  controllerStarted(): void {
    this.#doubtfulUntilMs = -Infinity;
  }

  // --- after every event

  look(): void {
    let serving: SimNode | null = null;
    for (const node of this.#nodes) {
      const { agent } = node;
      if (agent === null) continue;
      const { core } = agent.node;
      this.#lookAtEpoch(node, core.epoch);
      const epoch = core.reignEpoch;
      if (epoch === null || node.machine.suspended || !core.mayReply()) continue;
      if (epoch < this.#newestReign)
        this.#world.broken(
          'I4',
          `${node.id} may acknowledge under epoch ${epoch}, epoch ${this.#newestReign} has begun`,
        );
      const byBoth = core.slaveSeq >= core.confirmedSeq;
      this.#acknowledge(node.store, core.confirmedSeq, !byBoth);
      if (byBoth && this.#isProtected(core.proposal !== null)) this.#acknowledgeByBoth(node.store, core.confirmedSeq);
      if (!core.posture().serves) continue;
      if (serving !== null) this.#world.broken('I1', `${serving.id} and ${node.id} serve at the same time`);
      serving = node;
    }
    this.#lookAtAddresses(serving);
  }

  #lookAtEpoch(node: SimNode, epoch: number): void {
    const before = this.#epochs.get(node.id) ?? 0;
    if (epoch < before) this.#world.broken('I4', `${node.id} fell back from epoch ${before} to ${epoch}`);
    else this.#epochs.set(node.id, epoch);
  }

  #lookAtAddresses(serving: SimNode | null): void {
    const holders = this.#nodes.filter((node) => node.address.held && !this.#hasJustWoken(node));
    if (holders.length > 1) this.#world.broken('I7', `${holders.map(({ id }) => id).join(' and ')} hold the address`);
    const [holder] = holders;
    if (serving !== null && holder !== undefined && holder !== serving)
      this.#world.broken('I7', `${holder.id} holds the address while ${serving.id} serves`);
  }

  #hasJustWoken({ machine, group, address, agent }: SimNode): boolean {
    const graceMs = WAKE_GRACE_HEARTBEATS * group.failover.heartbeatMs + 50;
    const wokeMsAgo = this.#world.nowMs - machine.resumedAtMs;
    if (wokeMsAgo <= graceMs || wokeMsAgo >= ADDRESS_LIFETIME_LIMIT_MS) return wokeMsAgo <= graceMs;
    if (agent === null || agent.process.stopped) return true;
    return this.#world.nowMs - Math.max(agent.process.goesSinceMs, address.mendedAtMs) <= graceMs;
  }

  #acknowledge(store: SimStore, seq: number, alone: boolean): void {
    const epoch = store.epochAt(seq);
    if (epoch === null || seq <= (this.#acknowledged.get(epoch) ?? 0)) return;
    this.#acknowledged.set(epoch, seq);
    if (alone) this.#acknowledgedAlone.set(`${store.node} ${epoch}`, seq);
  }

  /** Both are on record; or whether the one that is confirms alone is its own word, and it asks for the other. */
  #isProtected(asks: boolean): boolean {
    return this.#inSync.length > 1 || (this.#hasFormerInSync && asks);
  }

  #acknowledgeByBoth(store: SimStore, seq: number): void {
    const epoch = store.epochAt(seq);
    if (epoch !== null && seq > (this.#acknowledgedByBoth.get(epoch) ?? 0)) this.#acknowledgedByBoth.set(epoch, seq);
  }

  // --- the controller's decisions

  onDecided(record: GroupRecord, events: readonly NewEvent[]): void {
    const decided = events.some(({ kind }) => kind === 'decision');
    if (decided && this.#world.nowMs < this.#doubtfulUntilMs)
      this.#world.broken('I8', `${record.rule} was decided on doubtful clocks: ${record.reason}`);
  }

  onSaved(record: GroupRecord): void {
    this.#world.tell(
      'record',
      `${record.rule} ${record.stage} epoch ${record.epoch} master ${record.master} inSync ${record.inSync.join()}`,
    );
    // A record made anew, after its disk was lost, says nothing of what is in sync until a reign is on it.
    if (record.stage !== 'none') {
      // What a controller without records has forgotten is so all the same.
      const isKnown = record.cause !== 'adopted' || record.inSync.join() !== this.#inSync.join();
      if (isKnown) this.#hasFormerInSync = record.formerInSync !== null;
      this.#inSync = record.inSync;
    }
    if (record.dataLossAccepted) this.#lossAcceptedWith = record.master;
    else if (record.master !== this.#lossAcceptedWith) this.#lossAcceptedWith = null;
  }

  // --- the logs

  appended(store: SimStore, batch: StoredBatch): void {
    const { epoch, seq, hash } = batch.end;
    let hashes = this.#hashes.get(epoch);
    if (hashes === undefined) this.#hashes.set(epoch, (hashes = new Map<number, number>()));
    const known = hashes.get(seq);
    if (known === undefined) hashes.set(seq, hash);
    else if (known !== hash) this.#world.broken('I5', `record ${epoch}-${seq} differs on ${store.node}`);
    if (batch.bytes[BATCH_HEADER_BYTES] === OP.reign) this.#reignBegins(store, batch);
  }

  #reignBegins(store: SimStore, batch: StoredBatch): void {
    const cursor = this.#cursor.open(batch.bytes);
    cursor.next();
    const master = Buffer.from(cursor.bytes.subarray(cursor.keyStart, cursor.valueStart)).toString();
    const { epoch } = batch.end;
    const owner = this.#owners.get(epoch);
    if (owner !== undefined && owner !== master)
      this.#world.broken('I3', `epoch ${epoch} is owned by ${owner} and by ${master}`);
    if (owner !== undefined || store.node !== master) return;
    this.#owners.set(epoch, master);
    if (this.#newestReign > 0) this.changes += 1;
    if (epoch < this.#newestReign) this.#world.broken('I4', `epoch ${epoch} begins after epoch ${this.#newestReign}`);
    this.#newestReign = Math.max(this.#newestReign, epoch);
    if (master === this.#lossAcceptedWith) this.#forget([store]);
    this.#lossAcceptedWith = null;
    const missing = this.#missingIn(store);
    if (missing !== null)
      this.#world.broken('I2', `${master} begins epoch ${epoch} without acknowledged record ${missing}`);
  }

  /** An acknowledged record that the store lacks; null if it has all. */
  #missingIn(store: SimStore): string | null {
    for (const [epoch, seq] of this.#acknowledged) {
      if (store.epochAt(seq) !== epoch) return `${epoch}-${seq}`;
    }
    return null;
  }

  cut(store: SimStore, tail: readonly StoredBatch[], kept: LogPosition): void {
    this.#world.tell(`store-${store.node}`, `cut to ${kept.epoch}-${kept.seq}, ${tail.length} batches archived`);
    const givenUp = this.#records.record?.discard.includes(store.node) === true;
    if (givenUp) this.lossAllowed = true;
    const others = this.#nodes.filter(({ id }) => id !== store.node).map((node) => node.store);
    for (const batch of tail) {
      const { epoch } = batch.end;
      const alone = batch.firstSeq <= (this.#acknowledgedAlone.get(`${store.node} ${epoch}`) ?? 0);
      if (alone && !givenUp && !others.some((other) => other.epochAt(batch.firstSeq) === epoch))
        this.#world.broken('I6', `${store.node} cuts record ${epoch}-${batch.firstSeq}, which it acknowledged alone`);
      const lost = batch.firstSeq <= (this.#acknowledged.get(epoch) ?? 0);
      if (!lost || this.lossAllowed || others.some((other) => other.epochAt(batch.firstSeq) === epoch)) continue;
      this.#world.broken(
        'I6',
        `${store.node} cuts acknowledged record ${epoch}-${batch.firstSeq}, which nobody else has`,
      );
    }
  }

  /** Where every in-sync node lost what it held, the configured fsync was not enough for this accident. */
  lost(store: SimStore, tail: readonly StoredBatch[]): void {
    this.#world.tell(`store-${store.node}`, `lost ${tail.length} batches, ends at ${store.end.epoch}-${store.end.seq}`);
    const holders = this.#nodes.filter(({ id }) => this.#inSync.includes(id)).map((node) => node.store);
    if (holders.some((holder) => this.#missingIn(holder) === null)) return;
    if (store.syncsAlways) this.#world.broken('I2', `${store.node} lost acknowledged records although it syncs always`);
    // What both had confirmed counts as long as either holds it, whatever is on record.
    this.#forget(holders, this.#acknowledgedByBoth);
  }

  /** Acknowledged records that none of these stores has are given up; those up to `heldByAny` only if no node has them. */
  #forget(holders: readonly SimStore[], heldByAny: ReadonlyMap<number, number> = new Map()): void {
    const all = this.#nodes.map(({ store }) => store);
    for (const [epoch, seq] of this.#acknowledged) {
      const isKept = (one: number): boolean => {
        const stores = one <= (heldByAny.get(epoch) ?? 0) ? all : holders;
        return stores.some((store) => store.epochAt(one) === epoch);
      };
      let kept = seq;
      while (kept > 0 && !isKept(kept)) kept -= 1;
      if (kept === seq) continue;
      this.lossAllowed = true;
      this.#world.tell('checker', `records ${kept + 1} to ${seq} of epoch ${epoch} may be lost`);
      if (kept === 0) this.#acknowledged.delete(epoch);
      else this.#acknowledged.set(epoch, kept);
    }
  }
}
