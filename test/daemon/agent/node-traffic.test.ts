import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { GroupConfig, NodeConfig } from '../../../src/config/config.ts';
import { NodeTraffic } from '../../../src/daemon/agent/node-traffic.ts';
import { systemScheduler } from '../../../src/kit/clock.ts';
import { HsctlError } from '../../../src/kit/errors.ts';
import type { RunningProgram, StartOptions } from '../../../src/kit/exec.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { until } from '../../rig/until.ts';
import { groupOf } from '../../traffic/group.ts';

const VIP = '10.0.0.100';

/** `ip -batch` and `nft -i` as far as they are talked to; what they carry out is noted, in order. */
class Programs {
  readonly done: string[] = [];
  /** Answers of `ip` that wait for the test, while it has `ip` wait. */
  readonly waiting: (() => void)[] = [];
  ipWaits = false;
  #held = false;

  readonly run = (command: readonly string[]): Promise<{ stdout: string; stderr: string; exitCode: number }> =>
    command.includes('--version')
      ? Promise.resolve({ stdout: '', stderr: '', exitCode: 0 })
      : Promise.reject(new HsctlError('failed', 'no such program'));

  readonly startProgram = (command: readonly string[], options: StartOptions = {}): Promise<RunningProgram> => {
    const exit = { exitCode: 0, signal: null };
    const say = (line: string): void => options.onLine?.(line, 'stdout');
    const obey = command[0] === 'ip' ? this.#ip : this.#nft;
    return Promise.resolve({
      pid: 1,
      exited: new Promise(() => undefined),
      write: (text: string) => obey(text.trimEnd().split('\n'), say),
      endInput: () => undefined,
      unreadBytes: () => 0,
      kill: () => undefined,
      stop: () => Promise.resolve(exit),
    });
  };

  readonly #ip = (lines: readonly string[], say: (line: string) => void): void => {
    const answer = (): void => {
      for (const line of lines) {
        if (line.startsWith('addr replace')) this.#note('address taken', true);
        else if (line.startsWith('addr del')) this.#note('address gone', false);
        else if (line.startsWith('addr show') && this.#held) say(`    inet ${VIP}/32 scope global eth0:hs`);
        else if (line.startsWith('netconf')) say('inet lo forwarding off');
      }
    };
    if (this.ipWaits) this.waiting.push(answer);
    else answer();
  };

  readonly #nft = (lines: readonly string[], say: (line: string) => void): void => {
    for (const line of lines) {
      if (line.includes('add chain')) this.done.push('gate closed');
      else if (line.includes('delete table')) this.done.push('gate open');
      else if (line.startsWith('describe')) say('payload expression, datatype inet_service');
    }
  };

  #note(what: string, held: boolean): void {
    if (held !== this.#held) this.done.push(what);
    this.#held = held;
  }
}

describe('the traffic of a node', () => {
  let programs: Programs;
  let traffic: NodeTraffic;
  const server = createServer();

  beforeEach(async () => {
    server.listen({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const group = groupOf({ a: '127.0.0.1', b: '127.0.0.2' }, { a: port, b: port });
    const announce = { count: 1, intervalMs: 1000, refreshMs: 60_000 };
    const own = { interface: 'eth0', label: 'eth0:hs', routes: [], rules: [] };
    const vip = { type: 'vip', address: `${VIP}/32`, ...own, announce } as const;
    const [node] = group.nodes as readonly [NodeConfig];
    const guarded: GroupConfig = { ...group, traffic: [vip] };
    programs = new Programs();
    traffic = new NodeTraffic(guarded, node, { scheduler: systemScheduler, logger: silentLogger }, programs);
    await traffic.start();
    programs.done.length = 0;
  });
  afterEach(async () => {
    programs.ipWaits = false;
    for (const answer of programs.waiting.splice(0)) answer();
    await traffic.close();
    server.close();
    await once(server, 'close');
  });

  it('keeps the gate closed until the addresses are gone', async () => {
    await traffic.hold(10_000);
    assert.deepEqual(traffic.addresses(), [VIP]);
    await new Promise<void>((resolve) => void traffic.closeGate(resolve));
    programs.ipWaits = true;
    const released = traffic.release();
    const opened = traffic.openGate();
    for (let turns = 0; turns < 20; turns += 1) await new Promise(setImmediate);
    assert.deepEqual(programs.done, ['address taken', 'gate closed']);
    for (const answer of programs.waiting.splice(0)) answer();
    await Promise.all([released, opened]);
    assert.deepEqual(programs.done, ['address taken', 'gate closed', 'address gone', 'gate open']);
  });

  it('leaves the gate closed when it is wanted so again meanwhile', async () => {
    await traffic.hold(10_000);
    programs.ipWaits = true;
    const released = traffic.release();
    const opened = traffic.openGate();
    const idle = new Promise<void>((resolve) => void traffic.closeGate(resolve));
    for (const answer of programs.waiting.splice(0)) answer();
    await Promise.all([released, opened, idle]);
    assert.deepEqual(programs.done.toSorted(), ['address gone', 'address taken', 'gate closed']);
  });

  it('is idle when the last connection has ended, and says so to the last who asked', async () => {
    const { port } = server.address() as AddressInfo;
    const client = connect(port, '127.0.0.1');
    const accepted = once(server, 'connection');
    await once(client, 'connect');
    const [socket] = (await accepted) as [Socket];
    const said: string[] = [];
    void traffic.closeGate(() => said.push('first'));
    void traffic.closeGate(() => said.push('second'));
    await until('the gate is closed', () => programs.done.includes('gate closed'));
    for (let turns = 0; turns < 20; turns += 1) await new Promise(setImmediate);
    assert.deepEqual(said, []);
    client.destroy();
    socket.destroy();
    await until('it is idle', () => said.length > 0);
    assert.deepEqual(said, ['second']);
  });
});
