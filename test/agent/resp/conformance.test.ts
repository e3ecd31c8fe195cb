import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { startService, temporaryDirectory } from './harness.ts';
import { RawClient } from './raw-client.ts';

/** The same commands to Redis and to the service: the same bytes come back. */

async function startRedis(t: TestContext): Promise<string> {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'redis.sock');
  const redis = spawn('redis-server', ['--port', '0', '--unixsocket', path, '--save', '', '--dir', directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(async () => {
    if (redis.exitCode !== null) return;
    redis.kill('SIGKILL');
    await once(redis, 'exit');
  });
  let output = '';
  while (!output.includes('The server is now ready')) {
    const [chunk] = (await once(redis.stdout, 'data')) as [Buffer];
    output += chunk.toString();
  }
  redis.stdout.resume();
  return path;
}

type Script = readonly (readonly string[])[];

const SCRIPTS: Record<string, Script> = {
  strings: [
    ['SET', 'a', '1'],
    ['set', 'b', ''],
    ['GET', 'a'],
    ['get', 'b'],
    ['GeT', 'none'],
    ['STRLEN', 'a'],
    ['STRLEN', 'none'],
    ['EXISTS', 'a', 'b', 'a', 'none'],
    ['MGET', 'a', 'none', 'b'],
    ['MSET', 'c', '3', 'd', '4', 'c', '5'],
    ['MGET', 'c', 'd'],
    ['MSET', 'c'],
    ['MSET', 'c', '1', 'd'],
    ['DEL', 'c', 'd', 'c', 'none'],
    ['UNLINK', 'a'],
    ['DBSIZE'],
    ['GET', 'a'],
    ['SET', 'x', '1', 'NX'],
    ['SET', 'x', '2', 'NX'],
    ['SET', 'x', '3', 'XX'],
    ['SET', 'y', '1', 'xx'],
    ['GET', 'x'],
    ['SET', 'x', '4', 'GET'],
    ['SET', 'z', '1', 'GET'],
    ['SET', 'x', '5', 'NX', 'GET'],
    ['SET', 'n', '5', 'NX', 'GET'],
    ['GET', 'n'],
    ['SET', 'x', '1', 'NX', 'XX'],
    ['SET', 'x', '1', 'what'],
    ['SET', 'x'],
    ['GET'],
    ['GET', 'a', 'b'],
    ['DEL'],
    ['MGET'],
    ['EXISTS'],
    ['SET', 'bin\0\r\n\xff', '\0\r\n\xfe'],
    ['GET', 'bin\0\r\n\xff'],
    ['DBSIZE', 'x'],
  ],
  scan: [
    ['SCAN', '0'],
    ['SET', 'only', '1'],
    ['SCAN', '0'],
    ['SCAN', '0', 'MATCH', 'o*'],
    ['SCAN', '0', 'MATCH', 'x*'],
    ['SCAN', '0', 'COUNT', '100', 'TYPE', 'string'],
    ['SCAN', '0', 'TYPE', 'list'],
    ['SCAN', 'x'],
    ['SCAN', '0', 'COUNT', '0'],
    ['SCAN', '0', 'COUNT', 'x'],
    ['SCAN', '0', 'COUNT'],
    ['SCAN', '0', 'what', '1'],
    ['SCAN'],
  ],
  connection: [
    ['PING'],
    ['ping', 'hi'],
    ['PING', 'a', 'b'],
    ['ECHO', 'x'],
    ['ECHO'],
    ['SELECT', '0'],
    ['SELECT', 'x'],
    ['SELECT', '99'],
    ['AUTH', 'x'],
    ['AUTH', 'default', 'x'],
    ['AUTH', 'other', 'x'],
    ['AUTH', 'a', 'b', 'c'],
    ['AUTH'],
    ['CLIENT', 'GETNAME'],
    ['CLIENT', 'SETNAME', 'me'],
    ['CLIENT', 'GETNAME'],
    ['CLIENT', 'SETNAME', 'a b'],
    ['CLIENT'],
    ['CLIENT', 'what'],
    ['CLIENT', 'ID', 'x'],
    ['CLIENT', 'NO-EVICT', 'on'],
    ['CLIENT', 'NO-EVICT', 'x'],
    ['CLIENT', 'LIST', 'x'],
    ['HELLO', '4'],
    ['HELLO', 'x'],
    ['HELLO', '3', 'x'],
    ['HELLO', '2', 'SETNAME', 'a b'],
    ['HELLO', '2', 'AUTH', 'x'],
    ['HELLO', '2', 'AUTH', 'other', 'x'],
    ['RESET'],
    ['CLIENT', 'GETNAME'],
    ['CONFIG', 'GET', 'save'],
    ['CONFIG', 'GET'],
    ['CONFIG', 'what'],
    ['CONFIG', 'GET', 'databases*x'],
    ['COMMAND', 'what'],
    ['COMMAND', 'INFO', 'what'],
    ['COMMAND', 'DOCS', 'what'],
    ['RESET', 'x'],
  ],
  RESP3: [
    ['SET', 'a', '1'],
    ['GET', 'none'],
    ['MGET', 'a', 'none'],
    ['XREAD', 'STREAMS', 'hs:log', '99999'],
    ['SCAN', '0'],
    ['CONFIG', 'GET', 'save'],
    ['CLIENT', 'GETNAME'],
    ['SUBSCRIBE', 'a'],
    ['PING'],
    ['GET', 'a'],
    ['UNSUBSCRIBE', 'a'],
    ['SET', 'a', '2', 'NX'],
    ['COMMAND', 'INFO', 'what'],
    ['COMMAND', 'DOCS', 'what'],
    ['EXEC'],
    ['MULTI'],
    ['GET', 'a'],
    ['GET', 'none'],
    ['EXEC'],
  ],
  'unknown commands': [
    ['what'],
    ['WhAt', 'a', 'b\r\nc'],
    ['x'.repeat(200), 'y'.repeat(100), 'z'.repeat(100), 'more'],
    ['a\0b', 'c\0d'],
    [''],
    ['\xff\xfe', '\xe9'],
  ],
  transactions: [
    ['EXEC'],
    ['DISCARD'],
    ['MULTI'],
    ['SET', 'a', '1'],
    ['GET', 'a'],
    ['DEL', 'none'],
    ['MULTI'],
    ['EXEC'],
    ['EXEC'],
    ['MULTI'],
    ['SET', 'a', '2'],
    ['DISCARD'],
    ['GET', 'a'],
    ['MULTI'],
    ['what'],
    ['SET', 'a', '3'],
    ['EXEC'],
    ['GET', 'a'],
    ['MULTI'],
    ['SET', 'a'],
    ['EXEC'],
    ['MULTI'],
    ['WATCH', 'a'],
    ['EXEC'],
    ['MULTI'],
    ['EXEC'],
    ['MULTI'],
    ['MSET', 'a', '1', 'b'],
    ['PING'],
    ['EXEC'],
    ['UNWATCH'],
    ['MULTI', 'x'],
    ['MULTI'],
    ['CLIENT', 'what'],
    ['EXEC'],
    ['MULTI'],
    ['RESET'],
    ['EXEC'],
  ],
  subscriptions: [
    ['SUBSCRIBE', 'one', 'two', 'one'],
    ['PING'],
    ['PING', 'x'],
    ['GET', 'a'],
    ['CLIENT', 'ID'],
    ['ECHO', 'x'],
    ['UNSUBSCRIBE', 'one'],
    ['UNSUBSCRIBE'],
    ['UNSUBSCRIBE'],
    ['PING'],
    ['SUBSCRIBE'],
    ['SUBSCRIBE', 'x'],
    ['RESET'],
    ['PING'],
  ],
  streams: [
    ['XREAD'],
    ['XREAD', 'STREAMS', 'hs:log'],
    ['XREAD', 'COUNT', 'x', 'STREAMS', 'hs:log', '0'],
    ['XREAD', 'BLOCK', 'x', 'STREAMS', 'hs:log', '0'],
    ['XREAD', 'BLOCK', '-1', 'STREAMS', 'hs:log', '0'],
    ['XREAD', 'STREAMS', 'hs:log', 'x'],
    ['XREAD', 'STREAMS', 'hs:log', '1', '2'],
    ['XREAD', 'COUNT', '1', 'BLOCK', '1'],
    ['XREAD', 'what', '1', 'STREAMS', 'a', '0'],
    ['XREAD', 'STREAMS', 'hs:log', '99999-1'],
    ['XREAD', 'COUNT', '1', 'STREAMS'],
    ['XREAD', 'BLOCK', '1', 'STREAMS', 'hs:log', '$'],
    ['XRANGE', 'none', '-', '+'],
    ['XRANGE', 'hs:log', 'x', '+'],
    ['XRANGE', 'hs:log', '-', '+', 'COUNT', 'x'],
    ['XRANGE', 'hs:log', '-', '+', 'what', '1'],
    ['XRANGE', 'hs:log', '-'],
    ['XRANGE', 'hs:log', '5', '4'],
    ['XLEN', 'none'],
    ['XINFO', 'STREAM', 'none'],
    ['XRANGE', 'none', '-', '+', 'COUNT', '0'],
    ['XINFO'],
    ['XINFO', 'what'],
  ],
  waiting: [
    ['WAIT', 'x', '0'],
    ['WAIT', '0', 'x'],
    ['WAIT', '0', '-1'],
    ['WAIT', '0'],
    ['WAIT', '0', '0', '0'],
  ],
};

/** Replies of which the texts differ on purpose, by what the reply begins with: those of WATCH and the like. */
const DIFFERENT = ['-ERR WATCH'];

void suite('replies are those of Redis', () => {
  void test('all scripts', async (t) => {
    const redisPath = await startRedis(t);
    for (const [name, script] of Object.entries(SCRIPTS)) {
      await t.test(name, async (inner) => {
        const redis = new RawClient(redisPath);
        inner.after(() => redis.close());
        const { connect: another, replica } = await startService(inner);
        replica.holderCount = 0;
        const ours = another();
        await redis.ask('FLUSHALL');
        if (name === 'RESP3') for (const client of [redis, ours]) await client.ask('HELLO', '3');
        for (const words of script) {
          const [theirs, own] = [await exchange(redis, words), await exchange(ours, words)];
          if (DIFFERENT.some((prefix) => own.startsWith(prefix))) continue;
          assert.equal(own, theirs, words.join(' '));
        }
      });
    }
  });

  const INLINE = [
    'PING\r\n',
    'PING\n',
    ' \r\nPING\r\n',
    'SET a "x\\x00y"\r\nGET a\r\n',
    "ECHO 'a b'\r\n",
    'ECHO "a\r\n',
    'ECHO "a"b\r\n',
    'what "a b" c\r\n',
    '*x\r\n',
    '*1\r\nPING\r\n',
    '*-1\r\nPING\r\n',
    '*1\r\n$x\r\n',
    '*1\r\n$-1\r\n',
    '*2000000000000\r\n',
    '*0\r\n\r\nPING\r\n',
  ];
  void test('also to what people type, and to what is no command', async (t) => {
    const redisPath = await startRedis(t);
    const { path } = await startService(t);
    for (const input of INLINE) {
      const text = `${input}QUIT\r\n`;
      assert.equal(await conversation(path, text), await conversation(redisPath, text), JSON.stringify(input));
    }
  });
});

/** Sends a command and, to know where its reply ends, another; gives the bytes of the reply. */
async function exchange(client: RawClient, words: readonly string[]): Promise<string> {
  const before = client.bytes.length;
  client.send(words, ['HELLO', 'end']);
  const marks = [
    '-ERR Protocol version is not an integer or out of range\r\n',
    "-ERR Can't execute 'hello': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context\r\n",
    '+QUEUED\r\n',
  ];
  for (;;) {
    const reply = client.bytes.slice(before);
    const mark = marks.find((each) => reply.endsWith(each) && (reply !== each || words.length === 0));
    if (mark !== undefined && client.unasked >= 2) {
      await client.replies(client.unasked);
      return reply.slice(0, -mark.length);
    }
    await client.replies(0);
    await once(client.socket, 'data');
  }
}

/** What the server says to some bytes until it closes the connection. */
async function conversation(path: string, text: string): Promise<string> {
  const socket = connect(path);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  socket.write(Buffer.from(text, 'latin1'));
  await once(socket, 'close');
  return answer;
}
