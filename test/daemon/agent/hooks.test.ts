import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type HookCall, Hooks } from '../../../src/daemon/agent/hooks.ts';
import type { AppConfig } from '../../../src/config/config.ts';
import { systemScheduler } from '../../../src/kit/clock.ts';
import { run } from '../../../src/kit/exec.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { HOOK_RUNS_LIMIT } from '../../../src/model/agent-report.ts';

const CALL: HookCall = { group: 'world', node: 'a', role: 'master', epoch: 7, reason: 'b was lost' };
const SYSLOG = fileURLToPath(new URL('../../../scripts/vip/notify-syslog', import.meta.url));

/** Programs that print what they are told. */
const tell = (what: string): string[] => [
  'sh',
  '-c',
  `echo ${what} "$@" "$HSCTL_STATE $HSCTL_EPOCH $HSCTL_REASON"`,
  'sh',
];

function hooksWith(app: Partial<AppConfig> = {}): Hooks {
  const none = { promote: null, demote: null, notify: null, hookTimeoutMs: 5_000 };
  return new Hooks({
    app: () => ({ ...none, ...app }),
    scheduler: systemScheduler,
    logger: silentLogger,
    run,
    onRun: () => undefined,
  });
}

describe('hooks of a node', () => {
  it('run in the order of what happened, with the arguments of keepalived for notify', async () => {
    const hooks = hooksWith({ promote: tell('promote'), demote: tell('demote'), notify: tell('notify') });
    const done: boolean[] = [];
    hooks.change(CALL, (succeeded) => done.push(succeeded));
    hooks.notify(CALL, 'MASTER');
    hooks.notify(CALL, 'MASTER');
    hooks.change({ ...CALL, role: 'slave', epoch: 8 }, (succeeded) => done.push(succeeded));
    hooks.notify({ ...CALL, role: 'slave', epoch: 8 }, 'BACKUP');
    await hooks.settled();
    assert.deepEqual(
      hooks.runs.map(({ output }) => output),
      [
        'promote GROUP world MASTER 7 MASTER 7 b was lost',
        'notify INSTANCE world MASTER 100 MASTER 7 b was lost',
        'demote GROUP world BACKUP 8 BACKUP 8 b was lost',
        'notify INSTANCE world BACKUP 100 BACKUP 8 b was lost',
      ],
    );
    assert.deepEqual(done, [true, true]);
    const times = hooks.runs.map(({ wallMs }) => wallMs);
    assert.deepEqual(
      times,
      [...new Set(times)].toSorted((one, other) => one - other),
    );
  });

  it('fail by their exit code and by their time, with what they said', async () => {
    const hooks = hooksWith({
      promote: ['sh', '-c', 'echo no disk >&2; exit 3'],
      demote: ['sh', '-c', 'sleep 60'],
      hookTimeoutMs: 100,
    });
    const done: boolean[] = [];
    hooks.change(CALL, (succeeded) => done.push(succeeded));
    hooks.change({ ...CALL, role: 'none' }, (succeeded) => done.push(succeeded));
    await hooks.settled();
    assert.deepEqual(done, [false, false]);
    assert.match(hooks.runs[0]?.output ?? '', /exit code 3: no disk/);
    assert.match(hooks.runs[1]?.output ?? '', /not done within 100 ms/);
  });

  it('that are not there succeed, in their turn', async () => {
    const hooks = hooksWith({ promote: ['true'] });
    const order: string[] = [];
    hooks.change(CALL, () => order.push('promoted'));
    hooks.change({ ...CALL, role: 'slave' }, () => order.push('demoted'));
    await hooks.settled();
    assert.deepEqual(order, ['promoted', 'demoted']);
  });

  it('are kept for the report, the latest ones', async () => {
    const hooks = hooksWith({ notify: ['true'] });
    for (let turn = 0; turn < HOOK_RUNS_LIMIT; turn += 1) {
      hooks.notify(CALL, 'MASTER');
      hooks.notify(CALL, 'BACKUP');
    }
    await hooks.settled();
    assert.equal(hooks.runs.length, HOOK_RUNS_LIMIT);
  });

  it('may be the example for the system log', async () => {
    const hooks = hooksWith({ notify: ['env', 'HSCTL_LOGGER=echo', SYSLOG] });
    hooks.notify(CALL, 'FAULT');
    await hooks.settled();
    assert.equal(hooks.runs[0]?.output, '-t hsctl -p daemon.err node a of world: FAULT, epoch 7: b was lost');
  });
});
