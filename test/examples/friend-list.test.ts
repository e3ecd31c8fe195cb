import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { HsctlError } from '../../src/kit/errors.ts';
import { freePorts } from '../rig/free-ports.ts';
import { buildCppFriendList, cppFriendList, typescriptFriendList } from '../rig/friend-list.ts';
import { LineSocket } from '../rig/line-socket.ts';
import { LocalMachine } from '../rig/machine.ts';
import type { RigProcess } from '../rig/rig-process.ts';
import { until } from '../rig/until.ts';
import { type Harness, startService, temporaryDirectory } from '../agent/resp/harness.ts';

/** Both examples do the same, so they pass the same tests: on a real RESP service over a replica in the test's hands. */

const LIMIT_MS = 10_000;

interface Server {
  readonly process: RigProcess;
  readonly client: () => Promise<LineSocket>;
}

type Command = (socket: string, port: number) => readonly string[];

async function start(t: TestContext, command: Command, socket: string): Promise<Server> {
  const machine = new LocalMachine('node', join(temporaryDirectory(t), 'node'));
  const [port = 0] = await freePorts(1);
  const process = await machine.spawn(command(socket, port));
  t.after(() => machine.close());
  const client = async (): Promise<LineSocket> => {
    const open = (): Promise<LineSocket | null> =>
      LineSocket.connect({ host: '127.0.0.1', port }, LIMIT_MS).catch(() => null);
    const line = await until('the server to listen', open);
    t.after(() => line.close());
    return line;
  };
  return { process, client };
}

/** Asks until the answer is another than that the server does not serve. */
async function served(server: Server, line: string): Promise<string> {
  const client = await server.client();
  return until('the server to serve', async () => {
    const answer = await client.request(line, LIMIT_MS);
    return answer.startsWith('NO ') ? null : answer;
  });
}

/** Asks until the answer is that the server does not serve; meanwhile it may close connections that wait for its agent. */
async function refused(server: Server): Promise<void> {
  await until('the server to refuse', async () => {
    const client = await server.client();
    const answer = await client.request('COUNT', LIMIT_MS).catch(() => '');
    return answer.startsWith('NO ');
  });
}

async function say(client: LineSocket, ...lines: readonly string[]): Promise<string[]> {
  const answers: string[] = [];
  for (const line of lines) answers.push(await client.request(line, LIMIT_MS));
  return answers;
}

function promote({ service, observer }: Harness, epoch: number): void {
  observer.epoch = epoch;
  service.publishRole({ role: 'master', epoch, master: 'a' });
}

function demote({ service }: Harness, epoch: number): void {
  service.publishRole({ role: 'slave', epoch, master: 'b' });
}

function registerTests(command: Command): void {
  it('keeps lists', async (t) => {
    const agent = await startService(t);
    const server = await start(t, command, agent.path);
    assert.equal(await served(server, 'COUNT'), 'COUNT 0');
    const client = await server.client();
    const answers = await say(
      client,
      'ADD eve bob',
      'ADD eve al',
      'ADD eve al',
      'LIST eve',
      'LIST al',
      'COUNT',
      'PING',
    );
    assert.deepEqual(
      answers.map((answer) => answer.split(' ').toSorted().join(' ')),
      ['OK', 'OK', 'OK', 'FRIENDS al bob', 'FRIENDS', '2 COUNT', 'PONG'],
    );
    const rest = ['OK', 'OK', 'FRIENDS al', 'COUNT 1'];
    assert.deepEqual(await say(client, 'DEL eve bob', 'DEL eve bob', 'LIST eve', 'COUNT'), rest);
  });

  it('tells what it does not understand, and goes on', async (t) => {
    const agent = await startService(t);
    const server = await start(t, command, agent.path);
    await served(server, 'COUNT');
    const client = await server.client();
    for (const line of ['', 'ADD', 'ADD eve', 'ADD eve bob al', 'ADD eve b:b', `ADD eve ${'x'.repeat(65)}`, 'HOW']) {
      assert.match(await client.request(line, LIMIT_MS), /^ERR /, line);
    }
    assert.equal(await client.request('PING', LIMIT_MS), 'PONG');
  });

  it('joins as the app, keeps itself heard, and says that it is ready', async (t) => {
    const agent = await startService(t);
    await start(t, command, agent.path);
    const events = await agent.observer.seen(2);
    assert.match(events[0] ?? '', /^joined/);
    assert.equal(events[1], 'ready 1');
    const [connection] = agent.observer.joined;
    assert.ok(connection);
    const { requests } = connection;
    await until('heartbeats', () => connection.requests > requests + 2);
  });

  it('says OK only once a change is confirmed', async (t) => {
    const agent = await startService(t);
    const server = await start(t, command, agent.path);
    await served(server, 'COUNT');
    agent.replica.automatic = false;
    const client = await server.client();
    let answer = '';
    const pending = client.request('ADD eve bob', LIMIT_MS).then((line) => (answer = line));
    await until('the change to reach the agent', () => agent.replica.records.length === 1);
    const other = await server.client();
    assert.equal(await other.request('PING', LIMIT_MS), 'PONG');
    assert.equal(answer, '');
    agent.replica.confirm();
    assert.equal(await pending, 'OK');
  });

  it('gives no answer where it cannot know one', async (t) => {
    const agent = await startService(t);
    const server = await start(t, command, agent.path);
    await served(server, 'COUNT');
    agent.replica.automatic = false;
    const client = await server.client();
    const pending = client.request('ADD eve bob', LIMIT_MS);
    await until('the change to reach the agent', () => agent.replica.records.length === 1);
    agent.replica.loseReign();
    await assert.rejects(pending, /closed|ECONNRESET/);
  });

  it('gives no answer when the disk of its agent failed', async (t) => {
    const agent = await startService(t);
    const server = await start(t, command, agent.path);
    await served(server, 'COUNT');
    agent.replica.failure = new HsctlError('disk', 'no space left');
    const client = await server.client();
    await assert.rejects(client.request('ADD eve bob', LIMIT_MS), /closed|ECONNRESET/);
    const other = await server.client();
    assert.equal(await other.request('LIST eve', LIMIT_MS), 'FRIENDS');
  });

  it('passes on why the agent refuses', async (t) => {
    const agent = await startService(t);
    const server = await start(t, command, agent.path);
    await served(server, 'COUNT');
    agent.replica.setGate({ state: 'refuse', error: 'READONLY b is the master' });
    agent.replica.refusal = 'LOADING no lease';
    const client = await server.client();
    assert.deepEqual(await say(client, 'ADD eve bob', 'LIST eve'), [
      'NO READONLY b is the master',
      'NO LOADING no lease',
    ]);
  });

  it('follows as slave, serves nobody, and has everything when it takes over', async (t) => {
    const agent = await startService(t);
    demote(agent, 1);
    const writer = agent.connect();
    const server = await start(t, command, agent.path);
    await refused(server);
    for (let n = 0; n < 2500; n++) writer.send(['SET', `friend:eve:f${n}`, '1']);
    writer.send(['DEL', 'friend:eve:f7']);
    await writer.replies(2501);
    await refused(server);
    promote(agent, 2);
    assert.equal(await served(server, 'COUNT'), 'COUNT 2499');
    assert.ok(agent.observer.events.includes('ready 2'));
  });

  it('waits for what is not confirmed yet before it says that it is ready', async (t) => {
    const agent = await startService(t);
    demote(agent, 1);
    const server = await start(t, command, agent.path);
    await refused(server);
    agent.replica.automatic = false;
    const writer = agent.connect();
    writer.send(['SET', 'friend:eve:bob', '1']);
    await until('the record to be there', () => agent.replica.records.length === 1);
    promote(agent, 2);
    await refused(server);
    assert.ok(!agent.observer.events.includes('ready 2'));
    agent.replica.confirm();
    assert.equal(await served(server, 'LIST eve'), 'FRIENDS bob');
  });

  it('forgets as slave what the log has lost', async (t) => {
    const agent = await startService(t);
    const server = await start(t, command, agent.path);
    await served(server, 'ADD eve bob');
    await served(server, 'ADD eve al');
    demote(agent, 2);
    agent.replica.fork(1, 2);
    await refused(server);
    promote(agent, 3);
    assert.equal(await served(server, 'LIST eve'), 'FRIENDS bob');
    assert.equal(await served(server, 'COUNT'), 'COUNT 1');
  });

  it('comes back to an agent that was away', async (t) => {
    const socket = join(temporaryDirectory(t), 'agent.sock');
    const first = await startService(t, { socket });
    const server = await start(t, command, socket);
    await served(server, 'ADD eve bob');
    await first.stop();
    await refused(server);
    const second = await startService(t, { socket });
    await until('the server to be ready again', () => second.observer.events.includes('ready 1'));
    assert.equal(await served(server, 'COUNT'), 'COUNT 0');
    assert.equal(server.process.state, 'running');
  });
}

describe('friend-list in C++', () => {
  before(buildCppFriendList);
  registerTests(cppFriendList);
});

describe('friend-list in TypeScript', () => {
  registerTests(typescriptFriendList);
});
