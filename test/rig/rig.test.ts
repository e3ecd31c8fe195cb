import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import type { Host } from './host.ts';
import { remainsOf } from './leftovers.ts';
import { Rig } from './rig.ts';
import type { RigProcess } from './rig-process.ts';
import { until } from './until.ts';

const PRINT_DATAGRAMS = `
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('message', (bytes) => console.log('heard ' + bytes));
  socket.bind(9000, () => console.log('listening'));`;

const PRINT_STREAM = `
  const server = require('node:net').createServer((socket) => socket.on('data', (bytes) => console.log('heard ' + bytes)));
  server.listen(9001, () => console.log('listening'));`;

async function start(host: Host, script: string): Promise<RigProcess> {
  const listener = await host.spawn([process.execPath, '-e', script], { name: 'listener' });
  await listener.waitFor(/listening/);
  return listener;
}

async function say(from: Host, to: Host, word: string): Promise<void> {
  await from.run(['bash', '-c', `echo ${word} > /dev/udp/${to.address}/9000`]);
}

function alive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

describe('cuts', () => {
  it('loses one direction and keeps the other', () =>
    Rig.use(async (rig) => {
      const [a, b] = [rig.host('a'), rig.host('b')];
      const [atA, atB] = [await start(a, PRINT_DATAGRAMS), await start(b, PRINT_DATAGRAMS)];
      await say(a, b, 'before');
      await atB.waitFor(/heard before/);

      await rig.cut('a', 'b');
      await say(a, b, 'lost');
      await say(b, a, 'back');
      await atA.waitFor(/heard back/);

      await rig.heal('a', 'b');
      await say(a, b, 'after');
      await atB.waitFor(/heard after/);
      assert.doesNotMatch(atB.output, /lost/);
    }));

  it('silences an isolated host for all, and leaves the others alone', () =>
    Rig.use(async (rig) => {
      const [client, a, b] = [rig.host('client'), rig.host('a'), rig.host('b')];
      const [atA, atB] = [await start(a, PRINT_DATAGRAMS), await start(b, PRINT_DATAGRAMS)];
      for (const host of [a, b]) await say(client, host, 'before');
      await Promise.all([atA.waitFor(/before/), atB.waitFor(/before/)]);

      await rig.isolate('a');
      for (const host of [a, b]) await say(client, host, 'during');
      await say(a, b, 'escaped');
      await atB.waitFor(/heard during/);

      await rig.rejoin('a');
      for (const host of [a, b]) await say(client, host, 'after');
      await Promise.all([atA.waitFor(/after/), atB.waitFor(/after/)]);
      assert.doesNotMatch(atA.output, /during/);
      assert.doesNotMatch(atB.output, /escaped/);
    }));

  it('makes an established connection silent without breaking it', () =>
    Rig.use(async (rig) => {
      const [client, a, b] = [rig.host('client'), rig.host('a'), rig.host('b')];
      const stream = await start(b, PRINT_STREAM);
      const datagrams = await start(b, PRINT_DATAGRAMS);
      const talk = `exec 3<>/dev/tcp/${b.address}/9001; echo connected; while read line; do echo $line >&3; done`;
      const talker = await a.spawn(['bash', '-c', talk], { name: 'talker' });
      await talker.waitFor(/connected/);

      await rig.cutBoth('a', 'b');
      talker.write('word');
      await say(client, b, 'meanwhile');
      await datagrams.waitFor(/heard meanwhile/);
      assert.doesNotMatch(stream.output, /word/);

      await rig.healAll();
      await stream.waitFor(/heard word/); // sent again by TCP
      assert.equal(talker.state, 'running');
    }));
});

describe('hosts', () => {
  it('tell who holds an address and where a neighbour believes it to be', () =>
    Rig.use(async (rig) => {
      const [client, b] = [rig.host('client'), rig.host('b')];
      assert.deepEqual(await rig.holders('10.0.0.100'), []);
      assert.equal(await client.neighbour('10.0.0.100'), null);

      await b.run(['ip', 'addr', 'add', '10.0.0.100/32', 'dev', 'eth0']);
      assert.deepEqual(await rig.holders('10.0.0.100'), ['b']);
      await client.run(['ping', '-c', '1', '10.0.0.100']);
      assert.equal(await client.neighbour('10.0.0.100'), await b.hardwareAddress());
      assert.ok((await b.addresses()).includes(b.address6));
    }));

  it('freeze, thaw and kill processes', () =>
    Rig.use(async (rig) => {
      const a = rig.host('a');
      const echo = await a.spawn(['cat'], { name: 'echo' });
      echo.write('one');
      await echo.waitFor(/one/);
      echo.freeze();
      await until('the process to stop', async () => / T /.test(await a.run(['cat', `/proc/${echo.pid}/stat`])));
      echo.thaw();
      echo.write('two');
      await echo.waitFor(/two/);
      assert.deepEqual(await echo.kill(), { code: null, signal: 'SIGKILL' });
      await assert.rejects(echo.waitFor(/three/), /ended \(SIGKILL\)/);
    }));
});

describe('clean-up', () => {
  it('leaves no process, namespace or file, even of processes that left their group', async () => {
    let id = '';
    const pids: number[] = [];
    await Rig.use(async (rig) => {
      id = rig.id;
      const stray = await rig.host('a').spawn(['bash', '-c', 'setsid sleep 600 & echo pid $!; wait']);
      const match = await stray.waitFor(/pid (\d+)/);
      pids.push(stray.pid, Number(match[1]));
      assert.ok(pids.every(alive));
      assert.notDeepEqual(remainsOf(id), []);
    });
    assert.deepEqual(remainsOf(id), []);
    await until('the processes to be gone', () => !pids.some(alive));
  });

  it('happens when the body fails, whose error comes through', async () => {
    let id = '';
    const failing = Rig.use(
      async (rig) => {
        id = rig.id;
        throw new Error('on purpose');
      },
      ['a'],
    );
    await assert.rejects(failing, /on purpose/);
    assert.deepEqual(remainsOf(id), []);
  });

  it('is made up for by the next rig after a crash', async () => {
    const program = fileURLToPath(new URL('fixtures/abandon.ts', import.meta.url));
    const id = await new Promise<string>((resolve) => {
      execFile(process.execPath, [program], (_error, stdout) => resolve(stdout.trim()));
    });
    assert.match(id, /^hsrig-/);
    assert.notDeepEqual(remainsOf(id), []);
    Rig.sweep();
    assert.deepEqual(remainsOf(id), []);
  });
});
