import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { RunningProgram } from '../../../src/kit/exec.ts';
import { silentLogger, type Logger } from '../../../src/kit/logger.ts';
import type { NodeTrafficDeps } from '../../../src/traffic/deps.ts';
import { NodeGate } from '../../../src/traffic/gate/node-gate.ts';
import { Rig } from '../../rig/rig.ts';
import { until } from '../../rig/until.ts';
import { depsWithin, realDeps } from '../group.ts';
import { Peer } from '../peers.ts';

const PORT = 9000;

describe('the gate of a node', () => {
  let rig: Rig;
  let client: Peer;
  before(async () => {
    rig = await Rig.create(['client', 'a']);
    client = await Peer.start(rig.host('client'));
    await Peer.serve(rig.host('a'), rig.host('a').address, PORT);
  });
  after(() => rig.close());
  afterEach(async () => {
    await Promise.all(gates.splice(0).map((gate) => gate.end()));
  });

  const gates: NodeGate[] = [];
  const programs: RunningProgram[] = [];
  const ran: string[] = [];
  const address = (): string => rig.host('a').address;
  const make = async (change: Partial<NodeTrafficDeps> = {}): Promise<NodeGate> => {
    const within = depsWithin(['ip', 'netns', 'exec', rig.host('a').namespace]);
    const gate = new NodeGate('world', 'a', PORT, {
      ...within,
      run: (command, options) => {
        ran.push(command.join(' '));
        return within.run(command, options);
      },
      startProgram: async (command, options) => {
        const program = await within.startProgram(command, options);
        programs.push(program);
        return program;
      },
      ...change,
    });
    gates.push(gate);
    await gate.start();
    programs.splice(0, programs.length - 1);
    ran.length = 0;
    return gate;
  };
  const tables = (): Promise<string> => rig.host('a').run(['nft', 'list', 'tables']);
  const sending = (): Promise<true> =>
    until('the first packet was sent', async () =>
      (await rig.host('client').run(['ss', '-Htn', 'state', 'syn-sent'])).includes(address()) ? true : null,
    );

  it('lets new connections wait while it is closed, and present ones go on', async () => {
    const gate = await make();
    const present = await client.open(address(), PORT);
    assert.equal(await present.outcome(), 'a');
    await gate.close();
    await gate.close();
    const late = await client.open(address(), PORT);
    await sending();
    present.say('still-here');
    await present.heard('still-here');
    assert.ok(!late.settled);
    await gate.open();
    assert.equal(await late.outcome(), 'a');
    present.shut();
    late.shut();
    await gate.open();
    assert.equal(await tables(), '');
    assert.deepEqual(ran, [], 'no program was started for it');
  });

  it('is closed and opened by a program of its own when the open nft is stuck, or has ended', async () => {
    const gate = await make();
    programs[0]?.kill('SIGSTOP');
    await gate.close();
    assert.match(await tables(), /hsctl__world__a/);
    assert.deepEqual(ran, ['nft -f -']);
    await gate.end();
    await gate.open();
    assert.equal(await tables(), '');
    assert.deepEqual(ran, ['nft -f -', 'nft -f -']);
  });

  it('does with builds of nft that cannot be kept open', async () => {
    const startProgram: NodeTrafficDeps['startProgram'] = (_command, options) =>
      realDeps.startProgram(['false'], options);
    const gate = await make({ startProgram });
    await gate.close();
    assert.match(await tables(), /hsctl__world__a/);
    await gate.open();
    assert.equal(await tables(), '');
  });

  it('says what nft says', async () => {
    // As root of the machine, but without the right to change the network.
    const within = depsWithin(['setpriv', '--bounding-set', '-net_admin', '--inh-caps', '-net_admin']);
    const gate = new NodeGate('world', 'a', PORT, within);
    gates.push(gate);
    await assert.rejects(gate.start(), { name: 'HsctlError', message: /Operation not permitted/ });
    await assert.rejects(gate.close(), { name: 'HsctlError', message: /Operation not permitted/ });
  });

  it('is opened at start, if a crashed agent left it closed', async () => {
    await (await make()).close();
    assert.match(await tables(), /hsctl__world__a/);
    await make();
    assert.equal(await tables(), '');
    assert.equal(await client.reach(address(), PORT), 'a');
  });

  it('leaves other ports and other tables alone', async () => {
    await rig.host('a').run(['nft', 'add', 'table', 'inet', 'theirs']);
    await Peer.serve(rig.host('a'), address(), 9001, 'other');
    const gate = await make();
    await gate.close();
    assert.equal(await client.reach(address(), 9001), 'other');
    await gate.open();
    assert.equal((await tables()).trim(), 'table inet theirs');
  });
});

it('a gate without nft says so once and does nothing', async () => {
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) };
  const run: typeof realDeps.run = () => Promise.reject(new Error('nft: no such program'));
  const gate = new NodeGate('world', 'a', PORT, { ...realDeps, logger, run });
  await gate.start();
  await gate.close();
  await gate.open();
  assert.deepEqual(warnings, ['without nft new connections cannot wait']);
  assert.equal((await gate.check()).length, 1);
});

it('a gate that nft refuses is an error with what nft says', async () => {
  const run: typeof realDeps.run = (command) =>
    command.includes('--version')
      ? Promise.resolve({ stdout: '', stderr: '', exitCode: 0 })
      : Promise.reject(new Error('Operation not permitted'));
  const gate = new NodeGate('world', 'a', PORT, { ...realDeps, run });
  await assert.rejects(gate.close(), { name: 'HsctlError', message: /Operation not permitted/ });
});
