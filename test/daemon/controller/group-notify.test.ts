import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { GroupConfig } from '../../../src/config/config.ts';
import type { NewEvent, Records } from '../../../src/controller/ports.ts';
import { GroupNotify } from '../../../src/daemon/controller/group-notify.ts';
import { systemScheduler } from '../../../src/kit/clock.ts';
import { run } from '../../../src/kit/exec.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import type { HookRun } from '../../../src/model/agent-report.ts';
import type { GroupEvent } from '../../../src/model/event.ts';
import { SERVING } from '../../controller/views.ts';

const COMMAND = ['sh', '-c', 'echo "$@" "$HSCTL_MASTER $HSCTL_CAUSE"', 'sh'];

describe('what programs are told of a group', () => {
  let events: GroupEvent[];
  let records: Records;
  const notify = (command: readonly string[] | null = COMMAND): GroupNotify => {
    const group = { name: 'world', notify: command, app: { hookTimeoutMs: 5_000 } } as unknown as GroupConfig;
    return new GroupNotify({ records, group: () => group, scheduler: systemScheduler, logger: silentLogger, run });
  };
  beforeEach(() => {
    events = [];
    const append = (added: readonly NewEvent[]): readonly GroupEvent[] => {
      events.push(...added.map((event, index) => ({ ...event, id: events.length + index + 1 })));
      return [];
    };
    records = { append, events: () => events } as unknown as Records;
  });
  const outputs = (): string[] => events.map(({ message }) => message.split('ms: ')[1] ?? message);

  it('is each change of its state, once and in order', async () => {
    const told = notify();
    told.recorded(SERVING);
    told.recorded({ ...SERVING, revision: 99 });
    told.recorded({ ...SERVING, stage: 'fencing', epoch: 8, master: 'b', cause: 'failover' });
    told.recorded({ ...SERVING, stage: 'promoting', epoch: 8, master: 'b', cause: 'failover' });
    told.recorded({ ...SERVING, epoch: 8, master: 'b', cause: 'failover' });
    told.recorded({ ...SERVING, stage: 'quiescing', epoch: 8, master: 'b', cause: 'failover' });
    told.recorded({ ...SERVING, stage: 'fencing', epoch: 9, master: 'a', cause: 'switchover' });
    await told.settled();
    assert.deepEqual(outputs(), [
      `GROUP world MASTER 100 a ${SERVING.cause}`,
      'GROUP world FAULT 100 b failover',
      'GROUP world MASTER 100 b failover',
      'GROUP world BACKUP 100 b failover',
    ]);
  });

  it('is not told again by a controller that was restarted, but what it missed is', async () => {
    const first = notify();
    first.recorded(SERVING);
    await first.settled();
    const second = notify();
    second.recorded(SERVING);
    second.recorded({ ...SERVING, epoch: 8 });
    await second.settled();
    assert.equal(events.length, 2);
    assert.deepEqual(
      events.map(({ epoch }) => epoch),
      [SERVING.epoch, 8],
    );
  });

  it('are the hooks of the nodes, each once, also after a restart', () => {
    const ran = (wallMs: number, succeeded = true): HookRun => ({
      wallMs,
      hook: 'promote: /hook',
      epoch: 7,
      succeeded,
      tookMs: 12,
      output: 'hello',
    });
    const first = notify(null);
    first.reported('a', [ran(1000)]);
    first.reported('a', [ran(1000), ran(1001, false)]);
    first.reported('b', [ran(500)]);
    notify(null).reported('a', [ran(1000), ran(1001, false), ran(1002)]);
    assert.deepEqual(
      events.map(({ node, message }) => `${node} ${message}`),
      [
        'a promote: /hook: done in 12 ms: hello',
        'a promote: /hook: failed: hello',
        'b promote: /hook: done in 12 ms: hello',
        'a promote: /hook: done in 12 ms: hello',
      ],
    );
  });
});
