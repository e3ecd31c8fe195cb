import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { HsctlError } from '../../src/kit/errors.ts';
import { run } from '../../src/kit/exec.ts';

const SCRIPTS = join(import.meta.dirname, '..', '..', 'scripts', 'fence');
const directory = mkdtempSync(join(tmpdir(), 'hsctl-fence-'));
const [tool, calls, state] = ['tool', 'calls', 'state'].map((name) => join(directory, name)) as [
  string,
  string,
  string,
];
after(() => rmSync(directory, { recursive: true }));

/** A stand-in for ipmitool or virsh: notes how it was called, and runs `body`. */
function standIn(body: string): void {
  writeFileSync(tool, `#!/bin/sh\necho "$*" >> ${calls}\nstate=${state}\n${body}\n`);
  chmodSync(tool, 0o755);
  writeFileSync(calls, '');
  writeFileSync(state, '0');
}

function fence(script: string, argv: readonly string[], timeoutMs = 20_000) {
  const env = { HSCTL_IPMITOOL: tool, HSCTL_VIRSH: tool, HSCTL_FENCE_PAUSE: '0.01', HSCTL_NODE: 'a' };
  return run([join(SCRIPTS, script), ...argv], { timeoutMs, env });
}

const IPMI = ['10.0.9.11', 'hsctl', '/etc/hsctl/password'];
const VIRSH = ['qemu+ssh://root@host/system', 'world-a'];

describe('scripts/fence/ipmitool', () => {
  it('says that the power is off once it has read that back', async () => {
    standIn(`case $* in
      *"power status") count=$(cat $state); echo $((count + 1)) > $state
        [ "$count" -ge 2 ] && echo "Chassis Power is off" || echo "Chassis Power is on" ;;
    esac`);
    const { stdout } = await fence('ipmitool', IPMI);
    assert.match(stdout, /power of a is off/);
    const [first = ''] = readFileSync(calls, 'utf8').split('\n');
    assert.equal(first, '-I lanplus -L OPERATOR -H 10.0.9.11 -U hsctl -f /etc/hsctl/password chassis power off');
  });

  it('does not say so where the management controller does not answer', async () => {
    standIn('echo "Error: Unable to establish IPMI v2 / RMCP+ session" >&2; exit 1');
    await assert.rejects(
      fence('ipmitool', IPMI, 300),
      (error) => error instanceof HsctlError && error.code === 'timeout',
    );
  });

  it('tells how it is called', async () => {
    await assert.rejects(fence('ipmitool', ['10.0.9.11']), /usage: ipmitool/);
  });
});

describe('scripts/fence/virsh', () => {
  it('says that a domain is shut off, also where it was already', async () => {
    standIn(`case $* in
      *destroy*) echo "error: Requested operation is not valid: domain is not running" >&2; exit 1 ;;
      *domstate*) echo "shut off"; echo ;;
    esac`);
    const { stdout } = await fence('virsh', VIRSH);
    assert.match(stdout, /a is shut off/);
    assert.match(readFileSync(calls, 'utf8'), /^--connect qemu\+ssh:\/\/root@host\/system destroy world-a$/m);
  });

  it('does not say so of one that runs, or of a host that does not answer', async () => {
    const timedOut = (error: unknown): boolean => error instanceof HsctlError && error.code === 'timeout';
    standIn('case $* in *domstate*) echo running ;; esac');
    await assert.rejects(fence('virsh', VIRSH, 300), timedOut);
    standIn('exit 1');
    await assert.rejects(fence('virsh', VIRSH, 300), timedOut);
  });
});
