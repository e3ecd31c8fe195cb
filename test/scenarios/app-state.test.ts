import assert from 'node:assert/strict';
import { accessSync, constants, readFileSync, readdirSync, statfsSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { type Cluster, NODES, type NodeName, otherThan } from '../rig/cluster.ts';
import { buildCppFriendList, cppFriendList } from '../rig/friend-list.ts';
import { LineSocket } from '../rig/line-socket.ts';
import { type Loopback, onLoopback } from '../rig/loopback.ts';
import { until } from '../rig/until.ts';

const LIMIT_MS = 10_000;
const FRIENDS = 300;
const TMPFS = 0x01021994;

/** The agents run the app, and start it again where it is. What the cluster takes for the app does nothing. */
const RUN_BY_AGENT = {
  app: () => ['sleep', 'infinity'],
  appSettings: {
    run: ['/bin/sh', '-c', `exec ${cppFriendList('"$HSCTL_SOCKET"', 0).slice(0, -1).join(' ')} "$HSCTL_PORT"`],
    restart: { times: 5, within: '1m' },
  },
};

async function ask(service: string, line: string): Promise<string> {
  const [host = '', port = ''] = service.split(':');
  const socket = await LineSocket.connect({ host, port: Number(port) }, LIMIT_MS);
  try {
    return await socket.request(line, LIMIT_MS);
  } finally {
    socket.close();
  }
}

/** Asks until somebody serves. */
function served(service: string, line: string): Promise<string> {
  return until(`an answer to ${line}`, async () => {
    const answer = await ask(service, line).catch(() => 'NO connection');
    return answer.startsWith('NO ') ? null : answer;
  });
}

async function fill(service: string): Promise<void> {
  const [host = '', port = ''] = service.split(':');
  const socket = await LineSocket.connect({ host, port: Number(port) }, LIMIT_MS);
  for (let number = 0; number < FRIENDS; number++) {
    assert.equal(await socket.request(`ADD eve friend${number}`, LIMIT_MS), 'OK');
  }
  assert.equal(await socket.request('DEL eve friend7', LIMIT_MS), 'OK');
  socket.close();
}

async function assertAllThere(service: string): Promise<void> {
  assert.equal(await served(service, 'COUNT'), `COUNT ${FRIENDS - 1}`);
  const friends = (await served(service, 'LIST eve')).split(' ').slice(1);
  const expected = Array.from({ length: FRIENDS }, (_, number) => `friend${number}`).filter(
    (name) => name !== 'friend7',
  );
  assert.deepEqual(friends.toSorted(), expected.toSorted());
}

/** Process of the app that an agent runs. */
function appOf(cluster: Cluster, node: NodeName): number | null {
  const socket = cluster.socket(node);
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const [program = '', ...words] = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
      if (program.endsWith('/friend-list') && words.includes(socket)) return Number(pid);
    } catch {
      // It has ended meanwhile.
    }
  }
  return null;
}

/** What an agent ran does not outlive it, however it ended. */
async function appsEnd(cluster: Cluster): Promise<void> {
  await until('the apps to end with their agents', () => NODES.every((node) => appOf(cluster, node) === null));
}

/** A pair whose agents run the app. */
async function onAgentsThatRun(body: (loopback: Loopback) => Promise<void>, base?: string): Promise<void> {
  await onLoopback(
    async (loopback) => {
      try {
        await body(loopback);
      } finally {
        for (const node of NODES) await loopback.cluster.agent(node).kill();
        await appsEnd(loopback.cluster);
      }
    },
    base === undefined ? RUN_BY_AGENT : { ...RUN_BY_AGENT, base },
  );
}

async function crashInPlace({ cluster, service }: Loopback): Promise<void> {
  const earlier = await cluster.status();
  const master = await cluster.master();
  await fill(service);
  for (let crash = 0; crash < 3; crash++) {
    const pid = await until('the app to run', () => appOf(cluster, master));
    process.kill(pid, 'SIGKILL');
    await until('another one to run', () => {
      const present = appOf(cluster, master);
      return present !== null && present !== pid;
    });
    await assertAllThere(service);
  }
  const { master: after, epoch } = await cluster.whole();
  assert.deepEqual([after, epoch], [earlier.master, earlier.epoch], 'it went on where it was');
}

describe('the state of an app that crashed', () => {
  before(buildCppFriendList);

  it('is read again from its agent, and it goes on in place', () => onAgentsThatRun(crashInPlace));

  it('also with the store on a tmpfs, which outlives all processes of both nodes', () => {
    accessSync('/dev/shm', constants.W_OK);
    return onAgentsThatRun(async (loopback) => {
      const { cluster, service } = loopback;
      assert.equal(statfsSync(cluster.store('a')).type, TMPFS);
      await crashInPlace(loopback);
      for (const node of NODES) await cluster.agent(node).kill();
      await appsEnd(cluster);
      await cluster.restartEnded();
      await cluster.whole();
      await assertAllThere(service);
    }, '/dev/shm');
  });

  it('is read again when its agent was killed and is back, by an app that went on running', () =>
    onLoopback(
      async ({ cluster, service }) => {
        await fill(service);
        const master = await cluster.master();
        const app = cluster.app(master);
        await cluster.agent(master).kill();
        await cluster.startAgent(master);
        await assertAllThere(service);
        await cluster.whole();
        assert.equal(app.state, 'running');
        const target = otherThan(await cluster.master());
        await cluster.hsctl('promote', target, '--wait');
        assert.equal(await cluster.master(), target);
        await assertAllThere(service);
      },
      { app: cppFriendList },
    ));
});
