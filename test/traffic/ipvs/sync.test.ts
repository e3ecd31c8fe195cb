import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDaemons, planSync } from '../../../src/traffic/ipvs/sync.ts';

const CONFIG = { interface: 'eth1', id: 7 };
const MASTER = 'master sync daemon (mcast=eth1, syncid=7, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\n';
const BACKUP = 'backup sync daemon (mcast=eth1, syncid=7)\n';

describe('parseDaemons', () => {
  it('reads each daemon that runs, by older and newer programs', () => {
    assert.deepEqual(
      [...parseDaemons(MASTER + BACKUP)],
      [
        ['master', CONFIG],
        ['backup', CONFIG],
      ],
    );
    assert.equal(parseDaemons('').size, 0);
  });
});

describe('planSync', () => {
  const start = (role: string) => ['--start-daemon', role, '--mcast-interface', 'eth1', '--syncid', '7'];

  it('starts what is missing and stops the other', () => {
    assert.deepEqual(planSync(CONFIG, 'master', parseDaemons('')), [start('master')]);
    assert.deepEqual(planSync(CONFIG, 'backup', parseDaemons(MASTER)), [['--stop-daemon', 'master'], start('backup')]);
    assert.deepEqual(planSync(CONFIG, 'master', parseDaemons(MASTER + BACKUP)), [['--stop-daemon', 'backup']]);
  });

  it('does nothing where all is as it should be', () => {
    assert.deepEqual(planSync(CONFIG, 'master', parseDaemons(MASTER)), []);
  });

  it('starts a daemon anew that has another interface or number', () => {
    const other = parseDaemons(MASTER.replace('eth1', 'eth0'));
    assert.deepEqual(planSync(CONFIG, 'master', other), [['--stop-daemon', 'master'], start('master')]);
    assert.equal(planSync({ ...CONFIG, id: 8 }, 'master', parseDaemons(MASTER)).length, 2);
  });
});
