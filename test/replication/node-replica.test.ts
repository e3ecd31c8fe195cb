import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HsctlError } from '../../src/kit/errors.ts';
import { BatchCursor } from '../../src/protocol/batch/batch-cursor.ts';
import { NodeReplica, type ReplicaControl } from '../../src/replication/node-replica.ts';
import type { WriteGate } from '../../src/replication/replica.ts';
import { Fingerprint } from '../../src/replication/log/fingerprint.ts';
import { recordsOf } from '../protocol/batch/samples.ts';
import { TestStore } from './log/open-log.ts';

/** A replica on a real log, whose core is played by the test: `turn` ends the turn of the event loop. */
class Node {
  readonly store = new TestStore();
  readonly replica: NodeReplica;
  reign: number | null = 1;
  confirmed = 0;
  leased = true;
  failures: unknown[] = [];
  appends = 0;
  gate: WriteGate = { state: 'open' };
  gatesAsked = 0;
  /** Batches in the order in which they were made; each was in the log by then. */
  readonly batches: Uint8Array[] = [];
  #turn: (() => void)[] = [];

  constructor() {
    const control: ReplicaControl = {
      reignEpoch: () => this.reign,
      gate: () => {
        this.gatesAsked += 1;
        return this.gate;
      },
      readRefusal: () => null,
      confirmedSeq: () => this.confirmed,
      mayReply: () => this.leased,
      slaveSeq: () => this.confirmed,
      appended: () => void (this.appends += 1),
      onDiskFailure: (error) => void this.failures.push(error),
    };
    this.replica = new NodeReplica(
      this.store.log,
      control,
      (batch) => {
        assert.equal(new BatchCursor().open(batch, 0).header.lastSeq, this.store.log.end.seq, 'it is in the log first');
        this.batches.push(batch.slice());
        return false;
      },
      (task) => this.#turn.push(task),
    );
  }

  turn(): void {
    for (const task of this.#turn.splice(0)) task();
  }

  set(key: string, value: string): number {
    const bytes = Buffer.from(`${key}${value}`);
    return this.replica.set(bytes, 0, key.length, key.length, bytes.length);
  }

  delete(key: string): number {
    return this.replica.delete(Buffer.from(key), 0, key.length);
  }

  get(key: string): string | null {
    const value = this.replica.get(Buffer.from(key));
    return value === null ? null : Buffer.from(value).toString();
  }

  /** Keys and values of each batch. */
  get written(): string[][] {
    return this.batches.map((batch) =>
      recordsOf(new BatchCursor().open(batch, 0)).map(({ key, value }) => `${key}=${value}`),
    );
  }
}

describe('the replica: writes', () => {
  it('of one turn are one batch, in the log before anybody else has it', () => {
    const node = new Node();
    assert.deepEqual([node.set('one', '1'), node.set('two', '2')], [1, 2]);
    assert.deepEqual([node.batches.length, node.store.log.end.seq], [0, 0]);
    node.turn();
    assert.deepEqual([node.written, node.appends], [[['one=1', 'two=2']], 1]);
    assert.equal(node.set('three', '3'), 3);
    node.turn();
    node.turn();
    assert.equal(node.batches.length, 2);
    assert.equal(node.store.get('two'), '2');
  });

  it('of a transaction stay in one batch, whatever asks for its end meanwhile', () => {
    const node = new Node();
    node.set('before', '0');
    node.replica.beginAtomic(0);
    node.set('one', '1');
    node.replica.flush();
    assert.equal(node.replica.count(), 0, 'nothing of it is there yet');
    node.set('two', '2');
    node.replica.endAtomic();
    node.turn();
    assert.deepEqual(node.written, [['before=0', 'one=1', 'two=2']]);
  });

  it('go into a new batch when one is full, in order', () => {
    const node = new Node();
    const value = 'x'.repeat(100_000);
    for (let index = 0; index < 50; index += 1) node.set(`key ${index}`, value);
    node.turn();
    assert.ok(node.batches.length > 1);
    assert.deepEqual(
      node.written.flat().map((record) => record.split('=')[0]),
      Array.from({ length: 50 }, (_, index) => `key ${index}`),
    );
    assert.equal(node.store.log.end.seq, 50);
  });

  it('are admitted by one question a turn, unless something changes in it', () => {
    const node = new Node();
    const write = (key: string): string => {
      const { state } = node.replica.gate();
      if (state === 'open') node.set(key, '1');
      return state;
    };
    assert.deepEqual(['a', 'b', 'c', 'd'].map(write), ['open', 'open', 'open', 'open']);
    assert.ok(node.gatesAsked <= 2);
    for (const change of [() => node.turn(), () => node.replica.gateMayHaveChanged(), () => node.replica.reignLost()]) {
      node.gate = { state: 'open' };
      node.replica.gateMayHaveChanged();
      ['x', 'y', 'z'].map(write);
      node.gate = { state: 'hold' };
      assert.equal(write('during'), 'open');
      change();
      assert.equal(write('after'), 'hold');
      assert.equal(write('later'), 'hold');
    }
  });

  it('of a value that came in pieces take their place before it is filled', () => {
    const node = new Node();
    const place = node.replica.setLater(Buffer.from('key'), 0, 3, 5);
    place.set(Buffer.from('value'));
    assert.equal(node.get('key'), 'value');
    node.turn();
    assert.deepEqual(node.written, [['key=value']]);
  });

  it('of a turn in which the reign ended are dropped, and nobody is told that they were made', () => {
    const node = new Node();
    let lost = 0;
    node.replica.onReignLost(() => (lost += 1));
    node.replica.beginAtomic(0);
    node.set('one', '1');
    node.reign = null;
    node.replica.reignLost();
    node.turn();
    assert.deepEqual([node.batches, node.store.log.end.seq, lost], [[], 0, 1]);
    assert.equal(node.get('one'), null);
  });

  it('that the disk refuses go to nobody', () => {
    const node = new Node();
    node.set('one', '1');
    node.store.disk.roomBytes = 0;
    node.turn();
    assert.ok(node.failures[0] instanceof HsctlError && node.failures[0].code === 'disk');
    assert.deepEqual([node.batches, node.appends], [[], 0]);
  });

  it('of the agent itself, reigns and in-sync sets, end what clients had begun', () => {
    const node = new Node();
    node.set('one', '1');
    node.replica.appendReign('a');
    assert.equal(node.replica.appendInSync(['a', 'b']), 3);
    assert.deepEqual(node.written, [['one=1'], ['a='], ['=a,b']]);
    assert.deepEqual(node.replica.history(), [{ epoch: 1, firstSeq: 2 }]);
  });
});

describe('the replica: reads', () => {
  it('see the writes of their own turn, and its deletes', () => {
    const node = new Node();
    node.set('key', 'old');
    node.turn();
    node.set('key', 'new');
    assert.deepEqual([node.get('key'), node.replica.valueLength(Buffer.from('key'))], ['new', 3]);
    assert.equal(node.delete('key'), 3);
    assert.deepEqual([node.get('key'), node.replica.valueLength(Buffer.from('key'))], [null, -1]);
    assert.equal(node.delete('key'), 0, 'it is gone already');
    node.set('key', 'again');
    assert.equal(node.get('key'), 'again');
    node.turn();
    assert.equal(node.get('key'), 'again');
  });

  it('of all keys see them too', () => {
    const node = new Node();
    node.set('one', '1');
    assert.equal(node.replica.count(), 1);
    node.set('two', '2');
    const { keys, next } = node.replica.scan(0, 100);
    assert.deepEqual(keys.map((key) => Buffer.from(key).toString()).toSorted(), ['one', 'two']);
    assert.equal(next, 0);
  });

  it('delete no other key, even one that the index cannot tell apart', (t) => {
    t.mock.method(Fingerprint.prototype, 'take', function (this: Fingerprint) {
      this.a = this.b = this.c = 1;
    });
    const node = new Node();
    node.set('one', '1');
    node.turn();
    assert.deepEqual([node.delete('two'), node.get('two'), node.get('one')], [0, null, '1']);
    assert.equal(node.delete('one'), 2);
  });

  it('of a key that is not there delete nothing', () => {
    const node = new Node();
    assert.equal(node.delete('nothing'), 0);
    node.turn();
    assert.deepEqual(node.batches, []);
  });
});

describe('the replica: what is confirmed', () => {
  it('is told when it rises', () => {
    const node = new Node();
    const told: number[] = [];
    node.replica.onConfirmed(() => told.push(node.replica.confirmedSeq()));
    const seq = node.set('one', '1');
    node.turn();
    assert.equal(node.replica.writtenSeq(), seq);
    node.replica.confirmedMayHaveRisen();
    assert.deepEqual(told, []);
    node.confirmed = seq;
    node.replica.confirmedMayHaveRisen();
    node.replica.confirmedMayHaveRisen();
    assert.deepEqual(told, [seq]);
    assert.deepEqual([node.replica.holders(seq), node.replica.holders(seq + 1)], [1, 0]);
  });

  it('is nothing at all while a master has no lease, and what it was once it has one again', () => {
    const node = new Node();
    let told = 0;
    node.replica.onConfirmed(() => (told += 1));
    const seq = node.set('one', '1');
    node.turn();
    node.confirmed = seq;
    node.leased = false;
    node.replica.confirmedMayHaveRisen();
    assert.deepEqual([node.replica.confirmedSeq(), told], [-1, 0]);
    node.leased = true;
    node.replica.confirmedMayHaveRisen();
    assert.deepEqual([node.replica.confirmedSeq(), told], [seq, 1]);
    node.leased = false;
    assert.equal(node.replica.confirmedSeq(), -1);
    node.leased = true;
    node.replica.confirmedMayHaveRisen();
    assert.equal(told, 2, 'whoever was told of nothing hears that there is something again');
  });

  it('on a slave needs no lease', () => {
    const node = new Node();
    node.set('one', '1');
    node.turn();
    node.reign = null;
    node.leased = false;
    node.confirmed = 1;
    assert.deepEqual([node.replica.confirmedSeq(), node.replica.writtenSeq()], [1, 1]);
  });

  it('is told anew where records that were confirmed had to be given up', () => {
    const node = new Node();
    const told: number[] = [];
    node.replica.onConfirmed(() => told.push(node.confirmed));
    for (const seq of [5, 2, 3]) {
      node.confirmed = seq;
      node.replica.confirmedMayHaveRisen();
    }
    assert.deepEqual(told, [5, 3]);
  });
});

describe('the replica: followers', () => {
  async function read(node: Node, from: number, limit = 100, limitBytes = 1e6) {
    const { entries, nextSeq } = await node.replica.read(from, limit, limitBytes);
    const shown = entries.map(({ seq, key, value }) => {
      const text = value === null ? 'deleted' : Buffer.from(value).toString();
      return `${seq} ${Buffer.from(key).toString()} ${text}`;
    });
    return { shown, nextSeq };
  }

  it('get what is confirmed and no more, deletes included, and go past the records of the agent', async () => {
    const node = new Node();
    node.replica.appendReign('a');
    node.replica.appendInSync(['a', 'b']);
    node.set('one', '1');
    node.set('two', '2');
    node.delete('one');
    node.turn();
    assert.deepEqual(await read(node, 1), { shown: [], nextSeq: 1 });
    node.confirmed = 4;
    assert.deepEqual(await read(node, 1), { shown: ['3 one 1', '4 two 2'], nextSeq: 5 });
    node.confirmed = 5;
    assert.deepEqual(await read(node, 5), { shown: ['5 one deleted'], nextSeq: 6 });
    assert.deepEqual(await read(node, 6), { shown: [], nextSeq: 6 });
    assert.deepEqual(await read(node, 1, 1), { shown: ['3 one 1'], nextSeq: 4 });
  });

  it('get at least one record, and then no more than fit', async () => {
    const node = new Node();
    for (const key of ['a', 'b', 'c', 'd']) node.set(key, 'x'.repeat(50));
    node.turn();
    node.confirmed = 4;
    assert.equal((await read(node, 1, 100, 1)).nextSeq, 2);
    assert.equal((await read(node, 1, 100, 102)).nextSeq, 3);
    assert.equal((await read(node, 1, 100, 1000)).nextSeq, 5);
  });

  it('are told when the log cannot be read, and so is the agent', async () => {
    const node = new Node();
    node.set('one', '1');
    node.turn();
    node.confirmed = 1;
    node.store.disk.unreadable = '/store';
    await assert.rejects(read(node, 1), { code: 'disk' });
    assert.equal(node.failures.length, 1);
  });
});
