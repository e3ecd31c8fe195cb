/**
 * A friend-list server with a hot standby.
 *
 *   server.ts --agent /run/hsctl/friends.sock --listen 9000
 *
 * Clients speak lines: `ADD alice bob`, `DEL alice bob`, `LIST alice`, `COUNT`, `PING`. What makes it a pair is
 * `runStandby`: on the slave it keeps the lists warm, and on promotion it calls `onPromote` when they are complete.
 * The master writes each change to its agent before the client gets its OK.
 */
import { createServer, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { IndeterminateError, runStandby } from '../../../src/sdk/index.ts'; // elsewhere: from 'hsctl/sdk'
import { FriendLists } from './friend-lists.ts';

const NAME = /^[\w.-]{1,64}$/;
const LINE_LIMIT = 1024;
const USAGE = 'ERR use ADD user friend, DEL user friend, LIST user, COUNT or PING';

const { values } = parseArgs({ options: { agent: { type: 'string' }, listen: { type: 'string' } } });
if (values.agent === undefined || values.listen === undefined) {
  console.error('usage: server.ts --agent SOCKET --listen PORT');
  process.exit(2);
}

const lists = new FriendLists();
const standby = runStandby({
  socket: values.agent,
  name: 'friend-list',
  onChange(record) {
    if (record.type === 'reset') lists.clear();
    else lists.apply(String(record.key), record.type === 'set');
  },
  onPromote: (epoch) => console.log(`serving in epoch ${epoch} with ${lists.count} entries`),
  onDemote: () => console.log('no longer the master'),
});
standby.done.catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});

/** Resolves to the answer for one request. Rejects with IndeterminateError if nobody knows whether it was done. */
async function answer(line: string): Promise<string> {
  const [command, user = '', friend = '', ...more] = line.split(' ').filter(Boolean);
  const names = [user, friend, ...more].filter(Boolean);
  if (!names.every((name) => NAME.test(name))) return USAGE;
  const form = `${command} ${names.length}`;
  if (form === 'PING 0') return 'PONG';
  if (!['ADD 2', 'DEL 2', 'LIST 1', 'COUNT 0'].includes(form)) return USAGE;
  if (!standby.serves) return 'NO this is not the master';
  try {
    if (form === 'ADD 2') return await change(user, friend, true);
    if (form === 'DEL 2') return await change(user, friend, false);
    // What is answered comes from memory, if this node still is the one that serves.
    await standby.confirm();
    return form === 'COUNT 0' ? `COUNT ${lists.count}` : ['FRIENDS', ...lists.of(user)].join(' ');
  } catch (error) {
    if (error instanceof IndeterminateError) throw error;
    return `NO ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Writes to the agent first: when that returns, the slave holds the change as well. */
async function change(user: string, friend: string, present: boolean): Promise<string> {
  const key = FriendLists.key(user, friend);
  const { epoch } = standby;
  if (present) await standby.client.set(key, '1');
  else await standby.client.delete(key);
  // Otherwise this is a slave by now, whose memory is what the log tells.
  if (standby.epoch === epoch) lists.apply(key, present);
  return 'OK';
}

async function attend(socket: Socket): Promise<void> {
  socket.setNoDelay(true);
  let rest = '';
  for await (const chunk of socket) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LINE_LIMIT) break;
    for (const line of lines) socket.write(`${await answer(line.trim())}\n`);
  }
  socket.end();
}

// Who gets no answer learns by the closed connection that the outcome is unknown.
const server = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  attend(socket).catch(() => socket.destroy());
});
server.listen(Number(values.listen), () => console.log('listening'));
