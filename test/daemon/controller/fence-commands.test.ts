import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { FenceMethod } from '../../../src/config/config.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { fenceByCommands } from '../../../src/daemon/controller/fence-commands.ts';
import { run } from '../../../src/kit/exec.ts';
import { silentLogger } from '../../../src/kit/logger.ts';

const directory = mkdtempSync(join(tmpdir(), 'hsctl-fence-'));
const notes = join(directory, 'notes');
before(() => writeFileSync(notes, ''));
after(() => rmSync(directory, { recursive: true }));

/** A command that notes that it ran and for whom, and ends as `then` says. */
function command(name: string, then: string, timeoutMs = 20_000): FenceMethod {
  const script = `echo "${name} $HSCTL_GROUP $HSCTL_NODE $HSCTL_ADDRESS $HSCTL_EPOCH" >> ${notes}; ${then}`;
  return { command: ['/bin/sh', '-c', script], timeoutMs };
}

async function fenced(methods: readonly FenceMethod[], signal = new AbortController().signal) {
  writeFileSync(notes, '');
  const nodes =
    'nodes: { a: { address: 127.0.0.1, port: 9001 }, b: { address: 127.0.0.1, port: 9002, control: 7411, replication: 7412 } }';
  const { config } = parseConfig(
    `cluster: realm\ngroups: { world: { ${nodes}, traffic: [{ type: proxy, listen: "127.0.0.1:9000" }] } }`,
    'test',
  );
  const [group] = config.groups;
  const node = { ...group!.nodes[0]!, fence: methods };
  const order = { node: 'a', epoch: 7 };
  const outcome = await fenceByCommands(group!, node, order, { run, logger: silentLogger, signal });
  return { ...outcome, ran: readFileSync(notes, 'utf8').trim().split('\n').filter(Boolean) };
}

describe('fence commands', () => {
  it('are tried in order until one confirms, and are told whom they fence', async () => {
    const { state, ran } = await fenced([
      command('one', 'exit 1'),
      command('two', 'exit 0'),
      command('three', 'exit 0'),
    ]);
    assert.equal(state, 'confirmed');
    assert.deepEqual(ran, ['one world a 127.0.0.1 7', 'two world a 127.0.0.1 7']);
  });

  it('have failed when none of them did it, with what they said', async () => {
    const { state, detail } = await fenced([
      command('one', 'echo no route >&2; exit 1'),
      { command: ['/nowhere/fence'], timeoutMs: 1_000 },
    ]);
    assert.equal(state, 'failed');
    assert.match(detail, /exit code 1: no route; .*no such program/);
  });

  it('leave it unknown when one ran out of its time and no other confirms', async () => {
    assert.equal((await fenced([command('one', 'sleep 60', 100), command('two', 'exit 1')])).state, 'unknown');
    assert.equal((await fenced([command('one', 'sleep 60', 100), command('two', 'exit 0')])).state, 'confirmed');
  });

  it('end when they are called off', async () => {
    const off = new AbortController();
    const outcome = fenced([command('one', 'sleep 60'), command('two', 'exit 0')], off.signal);
    off.abort();
    assert.notEqual((await outcome).state, 'confirmed');
  });
});
