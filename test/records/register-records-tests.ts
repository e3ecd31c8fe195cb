import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NewEvent, Records } from '../../src/controller/ports.ts';
import { HsctlError } from '../../src/kit/errors.ts';
import type { GroupEvent } from '../../src/model/event.ts';
import { emptyRecord, type GroupRecord } from '../../src/model/group-record.ts';

/** One store under test: `open` may be called again after `close`, and then sees what was saved. */
export interface RecordsFixture {
  open(): Records;
  dispose(): void;
}

/** A record as a controller would save it. */
export function recordOf(group: string, revision: number, change: Partial<GroupRecord> = {}): GroupRecord {
  return {
    ...emptyRecord(group),
    revision,
    epoch: 1,
    stage: 'serving',
    master: 'a',
    inSync: ['a', 'b'],
    ...change,
  };
}

/** An event as a controller would append it. */
export function eventOf(group: string, message: string): NewEvent {
  return {
    group,
    wallMs: 1_700_000_000_000,
    kind: 'decision',
    rule: 'R10',
    epoch: 1,
    node: 'a',
    message,
    phasesMs: { detect: 1.5, traffic: 2 },
  };
}

/** Saves, and waits until it is durable. @throws HsctlError */
export function save(
  records: Records,
  record: GroupRecord,
  events: readonly NewEvent[] = [],
): Promise<readonly GroupEvent[]> {
  return new Promise((resolve, reject) => {
    records.save(record, events, (error, saved) => (error === null ? resolve(saved) : reject(error)));
  });
}

/** The same for events alone. */
function append(records: Records, events: readonly NewEvent[]): Promise<readonly GroupEvent[]> {
  return new Promise((resolve, reject) => {
    records.append(events, (error, saved) => (error === null ? resolve(saved) : reject(error)));
  });
}

/** What every implementation of `Records` must do. `eventsPerGroup` is the bound the fixture opens its store with. */
export function registerRecordsTests(name: string, eventsPerGroup: number, make: () => RecordsFixture): void {
  const using = (test: (open: () => Records) => void | Promise<void>) => async (): Promise<void> => {
    const fixture = make();
    try {
      await test(() => fixture.open());
    } finally {
      fixture.dispose();
    }
  };

  describe(`records: ${name}`, () => {
    it(
      'starts with nothing',
      using(async (open) => {
        const records = open();
        assert.equal(records.load().size, 0);
        assert.deepEqual(records.events({ limit: 10 }), []);
        assert.equal(records.longestGrantMs(), 0);
        records.close();
      }),
    );

    it(
      'gives back after a restart what was saved',
      using(async (open) => {
        const first = open();
        const saved = recordOf('world', 3, {
          drained: ['b'],
          pausedUntilWallMs: 12.5,
          reason: 'über',
        });
        await save(first, recordOf('world', 1), []);
        const events = await save(first, saved, [eventOf('world', 'one'), eventOf('world', 'two')]);
        await save(first, recordOf('cache', 1), []);
        first.saveLongestGrantMs(1_500);
        first.close();

        const second = open();
        assert.deepEqual([...second.load().keys()].toSorted(), ['cache', 'world']);
        assert.deepEqual(second.load().get('world'), saved);
        assert.deepEqual(second.events({ limit: 10 }), events);
        assert.equal(second.longestGrantMs(), 1_500);
        second.close();
      }),
    );

    it(
      'returns the events with rising ids, which no restart reuses',
      using(async (open) => {
        const first = open();
        const [one, two] = await append(first, [eventOf('world', 'one'), eventOf('world', 'two')]);
        first.close();
        const second = open();
        const [three] = await append(second, [eventOf('world', 'three')]);
        assert.ok(one && two && three);
        assert.ok(one.id >= 1 && two.id > one.id && three.id > two.id);
        assert.deepEqual(three, { id: three.id, ...eventOf('world', 'three') });
        second.close();
      }),
    );

    it(
      'refuses a revision or an epoch that does not move forward, and keeps nothing of the attempt',
      using(async (open) => {
        const records = open();
        await save(records, recordOf('world', 5, { epoch: 4 }), []);
        for (const stale of [
          recordOf('world', 5, { epoch: 4 }),
          recordOf('world', 4, { epoch: 9 }),
          recordOf('world', 6, { epoch: 3 }),
        ]) {
          await assert.rejects(
            () => save(records, stale, [eventOf('world', 'stale')]),
            (error) => error instanceof HsctlError && error.code === 'refused',
          );
        }
        assert.equal(records.load().get('world')?.revision, 5);
        assert.deepEqual(records.events({ limit: 10 }), []);
        await save(records, recordOf('world', 6, { epoch: 4 }), []);
        assert.equal(records.load().get('world')?.revision, 6);
        records.close();
      }),
    );

    it(
      'saves what is submitted in one turn at once: a refusal concerns its own group only, and nothing is told before',
      using(async (open) => {
        const records = open();
        await save(records, recordOf('stale', 5));
        const told: string[] = [];
        const submit = (group: string, revision: number): void =>
          records.save(recordOf(group, revision), [eventOf(group, `${group} ${revision}`)], (error, saved) =>
            told.push(error?.code ?? `${saved.map(({ message }) => message).join()}, ${records.load().size} groups`),
          );
        for (let group = 0; group < 300; group++) submit(`g${group}`, 1);
        submit('stale', 5);
        submit('g0', 2);
        assert.deepEqual(told, []);
        const last = await append(records, [eventOf('g1', 'last')]);
        assert.equal(told.length, 302);
        assert.match(told[0]!, /^g0 1, \d{3} groups$/);
        assert.deepEqual(told.slice(-2), ['refused', 'g0 2, 301 groups']);
        assert.equal(records.load().get('g0')?.revision, 2);
        assert.deepEqual(records.events({ limit: 1 }), last);
        records.close();
      }),
    );

    it(
      'saves what was submitted before it is closed, and nothing after',
      using((open) => {
        const first = open();
        let told = 0;
        const submit = (revision: number): void => first.save(recordOf('world', revision), [], () => (told += 1));
        submit(1);
        first.close();
        submit(2);
        assert.equal(told, 1);
        const second = open();
        assert.equal(second.load().get('world')?.revision, 1);
        second.close();
      }),
    );

    it(
      'does not write a record that could not be read back',
      using(async (open) => {
        const records = open();
        await assert.rejects(async () => save(records, recordOf('world', 1, { decidedAtWallMs: Number.NaN }), []));
        assert.equal(records.load().size, 0);
        records.close();
      }),
    );

    it(
      'selects events by group and id: the newest without an id, the next ones behind an id',
      using(async (open) => {
        const records = open();
        const all = await append(
          records,
          ['1', '2', '3', '4', '5'].map((message, index) => eventOf(index % 2 === 0 ? 'odd' : 'even', message)),
        );
        const messages = (query: Parameters<Records['events']>[0]): string =>
          records
            .events(query)
            .map((event) => event.message)
            .join('');
        assert.equal(messages({ limit: 10 }), '12345');
        assert.equal(messages({ limit: 2 }), '45');
        assert.equal(messages({ group: 'odd', limit: 2 }), '35');
        assert.equal(messages({ afterId: all[1]?.id ?? -1, limit: 2 }), '34');
        assert.equal(messages({ group: 'odd', afterId: all[0]?.id ?? -1, limit: 10 }), '35');
        assert.equal(messages({ group: 'none', limit: 10 }), '');
        records.close();
      }),
    );

    it(
      `keeps the newest ${eventsPerGroup} events of each group`,
      using(async (open) => {
        const records = open();
        await append(records, [eventOf('quiet', 'kept')]);
        for (let number = 1; number <= eventsPerGroup + 3; number++)
          await append(records, [eventOf('busy', String(number))]);
        const busy = records.events({ group: 'busy', limit: 10 * eventsPerGroup });
        assert.deepEqual(
          busy.map((event) => event.message),
          Array.from({ length: eventsPerGroup }, (_, index) => String(index + 4)),
        );
        assert.equal(records.events({ group: 'quiet', limit: 10 }).length, 1);
        records.close();
      }),
    );
  });
}
