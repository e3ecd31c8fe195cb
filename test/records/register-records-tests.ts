import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NewEvent, Records } from '../../src/controller/ports.ts';
import { HsctlError } from '../../src/kit/errors.ts';
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

/** What every implementation of `Records` must do. `eventsPerGroup` is the bound the fixture opens its store with. */
export function registerRecordsTests(name: string, eventsPerGroup: number, make: () => RecordsFixture): void {
  const using = (test: (open: () => Records) => void) => (): void => {
    const fixture = make();
    try {
      test(() => fixture.open());
    } finally {
      fixture.dispose();
    }
  };

  describe(`records: ${name}`, () => {
    it(
      'starts with nothing',
      using((open) => {
        const records = open();
        assert.equal(records.load().size, 0);
        assert.deepEqual(records.events({ limit: 10 }), []);
        assert.equal(records.longestGrantMs(), 0);
        records.close();
      }),
    );

    it(
      'gives back after a restart what was saved',
      using((open) => {
        const first = open();
        const saved = recordOf('world', 3, {
          drained: ['b'],
          pausedUntilWallMs: 12.5,
          reason: 'über',
        });
        first.save(recordOf('world', 1), []);
        const events = first.save(saved, [eventOf('world', 'one'), eventOf('world', 'two')]);
        first.save(recordOf('cache', 1), []);
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
      using((open) => {
        const first = open();
        const [one, two] = first.append([eventOf('world', 'one'), eventOf('world', 'two')]);
        first.close();
        const second = open();
        const [three] = second.append([eventOf('world', 'three')]);
        assert.ok(one && two && three);
        assert.ok(one.id >= 1 && two.id > one.id && three.id > two.id);
        assert.deepEqual(three, { id: three.id, ...eventOf('world', 'three') });
        second.close();
      }),
    );

    it(
      'refuses a revision or an epoch that does not move forward, and keeps nothing of the attempt',
      using((open) => {
        const records = open();
        records.save(recordOf('world', 5, { epoch: 4 }), []);
        for (const stale of [
          recordOf('world', 5, { epoch: 4 }),
          recordOf('world', 4, { epoch: 9 }),
          recordOf('world', 6, { epoch: 3 }),
        ]) {
          assert.throws(
            () => records.save(stale, [eventOf('world', 'stale')]),
            (error) => error instanceof HsctlError && error.code === 'refused',
          );
        }
        assert.equal(records.load().get('world')?.revision, 5);
        assert.deepEqual(records.events({ limit: 10 }), []);
        records.save(recordOf('world', 6, { epoch: 4 }), []);
        assert.equal(records.load().get('world')?.revision, 6);
        records.close();
      }),
    );

    it(
      'does not write a record that could not be read back',
      using((open) => {
        const records = open();
        assert.throws(() => records.save(recordOf('world', 1, { decidedAtWallMs: Number.NaN }), []));
        assert.equal(records.load().size, 0);
        records.close();
      }),
    );

    it(
      'selects events by group and id: the newest without an id, the next ones behind an id',
      using((open) => {
        const records = open();
        const all = records.append(
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
      using((open) => {
        const records = open();
        records.append([eventOf('quiet', 'kept')]);
        for (let number = 1; number <= eventsPerGroup + 3; number++) records.append([eventOf('busy', String(number))]);
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
