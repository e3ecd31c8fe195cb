import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { IntactWatch } from '../../../src/replication/link/intact-watch.ts';
import { LogWriter, MemoryLog } from '../memory-log.ts';

function logOf(records: number): { log: MemoryLog; write: (records: number) => void } {
  const log = new MemoryLog();
  const writer = new LogWriter(log);
  writer.reign(1);
  writer.write(records - 2, 1);
  log.intact = false;
  return { log, write: (count) => void writer.write(count, 1) };
}

suite('a log that was not intact', () => {
  test('is so when it holds what the master held at first', () => {
    const { log, write } = logOf(10);
    const watch = new IntactWatch(log, 12);
    watch.look();
    assert.equal(log.intact, false);
    write(2);
    watch.look();
    assert.equal(log.intact, true);
  });

  test('is not, after a sparse batch, before it reaches what was confirmed later', () => {
    const { log, write } = logOf(10);
    const watch = new IntactWatch(log, 8);
    watch.sparse();
    watch.look();
    assert.equal(log.intact, false);
    watch.confirmed(15);
    assert.equal(log.intact, false);
    watch.confirmed(100);
    write(5);
    watch.look();
    assert.equal(log.intact, true, 'the first word after the batch counts');
    log.intact = false;
    watch.sparse();
    watch.look();
    assert.equal(log.intact, false);
    watch.confirmed(3);
    assert.equal(log.intact, true);
  });
});
