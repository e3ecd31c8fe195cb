import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NewEvent } from '../../../src/controller/ports.ts';
import { AuditTrail } from '../../../src/daemon/controller/audit-trail.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { ManualScheduler } from '../../kit/manual-scheduler.ts';

const REFUSED = {
  group: 'world',
  operator: 'eve (certificate)',
  action: 'promote b',
  refused: true,
  result: 'may look, but not change anything',
} as const;

describe('the audit of operators', () => {
  it('says who asked for what, when, and what came of it', () => {
    const events: NewEvent[] = [];
    const trail = new AuditTrail({ append: (more) => void events.push(...more) }, new ManualScheduler(), silentLogger);
    trail.note(REFUSED, 7);
    trail.note(
      { ...REFUSED, group: '', operator: 'root (uid 0)', action: 'reload', refused: false, result: 'done' },
      0,
    );
    assert.deepEqual(
      events.map(({ group, kind, rule, epoch, message }) => [group, kind, rule, epoch, message]),
      [
        ['world', 'operator', 'refused', 7, 'eve (certificate): promote b: may look, but not change anything'],
        ['', 'operator', 'operator', 0, 'root (uid 0): reload: done'],
      ],
    );
  });

  it('notes the same once a minute, so that nobody can wash events away', async () => {
    const events: NewEvent[] = [];
    const scheduler = new ManualScheduler();
    const trail = new AuditTrail({ append: (more) => void events.push(...more) }, scheduler, silentLogger);
    for (let count = 0; count < 5000; count += 1) trail.note(REFUSED, 7);
    assert.equal(events.length, 1);
    for (let count = 0; count < 5000; count += 1) trail.note({ ...REFUSED, operator: `eve ${count}` }, 7);
    assert.equal(events.length, 100);
    await scheduler.advance(60_000);
    trail.note(REFUSED, 7);
    assert.equal(events.length, 101);
  });
});
