import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { NewEvent, Records, Saved } from '../../../src/controller/ports.ts';
import { WatchedRecords } from '../../../src/daemon/controller/watched-records.ts';
import { HsctlError } from '../../../src/kit/errors.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { eventOf, recordOf } from '../../records/register-records-tests.ts';

/** Records over a disk that takes what it is told to take. */
function watched(logged: string[] = []) {
  const waiting: ((error: HsctlError | null) => void)[] = [];
  let ids = 0;
  const submit = (events: readonly NewEvent[], onSaved: Saved): void => {
    waiting.push((error) => onSaved(error, error === null ? events.map((event) => ({ ...event, id: ++ids })) : []));
  };
  const records = {
    save: (_record: unknown, events: readonly NewEvent[], onSaved: Saved) => submit(events, onSaved),
    append: submit,
    events: () => [],
  } as unknown as Records;
  const logger = { ...silentLogger, error: (message: string) => void logged.push(message) };
  return {
    records: new WatchedRecords(records, logger),
    finish: (error: HsctlError | null = null) => waiting.splice(0).forEach((saved) => saved(error)),
  };
}

describe('records that are watched', () => {
  it('tell of what is durable, once for all that became so together', async () => {
    const { records, finish } = watched();
    let told = 0;
    records.onEvent(() => (told += 1));
    for (const group of ['one', 'two']) {
      records.save(recordOf(group, 1), [eventOf(group, `${group} saved`)], () => undefined);
      records.append([eventOf(group, `${group} more`)]);
    }
    await turn();
    assert.deepEqual([told, records.lastEvent('one')], [0, null]);
    finish();
    await turn();
    assert.equal(told, 1);
    assert.equal(records.lastEvent('two')?.message, 'two more');
  });

  it('leave it to whoever saves to say that it failed, and log what is lost of the rest', () => {
    const logged: string[] = [];
    const { records, finish } = watched(logged);
    const errors: unknown[] = [];
    records.save(recordOf('one', 1), [eventOf('one', 'saved')], (error) => errors.push(error?.message));
    records.append([eventOf('one', 'more')]);
    finish(new HsctlError('disk', 'the disk is full'));
    assert.deepEqual([errors, logged], [['the disk is full'], ['the disk is full']]);
  });
});
