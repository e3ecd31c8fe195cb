import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RigProcess } from '../rig/rig-process.ts';
import { until } from '../rig/until.ts';

const DAEMON = fileURLToPath(new URL('fixtures/guarded-daemon.ts', import.meta.url));

let folder: string;
let started: RigProcess[];
/** What is to be ended in any case. */
let pids: number[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hsctl-guard-'));
  started = [];
  pids = [];
});
afterEach(async () => {
  for (const one of started) await one.kill();
  for (const pid of pids) if (runs(pid)) process.kill(pid, 'SIGKILL');
  rmSync(folder, { recursive: true });
});

async function start(): Promise<RigProcess> {
  const log = join(folder, `daemon-${started.length}.log`);
  const daemon = await RigProcess.start([process.execPath, DAEMON, folder], 'daemon', log, {});
  started.push(daemon);
  return daemon;
}

/** A daemon with all its programs: what is in the group of one, and what another left behind when it ended. */
async function startWhole(): Promise<{ daemon: RigProcess; lasting: readonly number[]; background: number }> {
  const daemon = await start();
  const [, background = ''] = await daemon.waitFor(/^background (\d+)$/m);
  pids.push(Number(background));
  const [, leader = '', child = ''] = await daemon.waitFor(/^lasting (\d+) (\d+)$/m);
  pids.push(Number(leader), Number(child));
  return { daemon, lasting: [Number(leader), Number(child)], background: Number(background) };
}

/** Whether it is there and has not ended. */
function runs(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

function guards(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && runs(Number(name)))
    .map(Number)
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
        return words[1]?.endsWith('guard.pl') === true && words[2] === folder;
      } catch {
        return false;
      }
    });
}

async function guard(): Promise<number> {
  const pid = await until('the guard to run', () => guards()[0]);
  pids.push(pid);
  return pid;
}

describe('programs of a daemon that is killed', () => {
  it('end with all that they started, while what was left in the background goes on', async () => {
    const { daemon, lasting, background } = await startWhole();
    await guard();
    await daemon.kill();
    await until('all of them to end', () => !lasting.some(runs));
    await until('the guard to end', () => guards().length === 0);
    assert.ok(runs(background));
  });

  it('have ended before the next run goes on', async () => {
    const { daemon, lasting } = await startWhole();
    const pid = await guard();
    process.kill(pid, 'SIGSTOP');
    await daemon.kill();
    const next = await start();
    await next.waitFor(/waiting for the end/);
    assert.doesNotMatch(next.output, /^ready$/m);
    assert.ok(lasting.every(runs));
    process.kill(pid, 'SIGCONT');
    await next.waitFor(/^ready$/m);
    assert.ok(!lasting.some(runs));
  });

  it('end although their first guard was killed: another one knows of them', async () => {
    const { daemon, lasting } = await startWhole();
    const first = await guard();
    process.kill(first, 'SIGKILL');
    await daemon.waitFor(/may outlive a killed daemon/);
    await until('another guard to run', () => guards().some((pid) => pid !== first));
    await until('it to have the lock', async () => {
      const locks = readFileSync('/proc/locks', 'utf8');
      return guards().some((pid) => new RegExp(`FLOCK +ADVISORY +WRITE ${pid} `).test(locks));
    });
    await daemon.kill();
    await until('all of them to end', () => !lasting.some(runs));
  });
});
