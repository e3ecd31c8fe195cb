import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { tries } from '../../effort.ts';
import { mutated } from '../../protocol/resp/mutations.ts';
import { startService } from './harness.ts';

/** Every command, with arguments of the kinds that it takes. */
const COMMANDS = `
SET a 1|SET a 1 NX|SET a 1 XX GET|GET a|MSET a 1 b 2|MGET a b|DEL a b|UNLINK a|EXISTS a a|STRLEN a|DBSIZE
SCAN 0 MATCH a* COUNT 10|SCAN 0 TYPE string|MULTI|EXEC|DISCARD|WATCH a|UNWATCH
XREAD COUNT 2 STREAMS hs:log 0-0|XREAD BLOCK 1 STREAMS hs:log 1-5|XREAD STREAMS hs:log $|XRANGE hs:log - + COUNT 3
XRANGE hs:log (1-1 1-9|XLEN hs:log|XINFO STREAM hs:log|SUBSCRIBE hs:role x|UNSUBSCRIBE x|UNSUBSCRIBE|ROLE|WAIT 1 1
PING|PING x|ECHO x|AUTH default x|HELLO 3 AUTH default x SETNAME y|HELLO 2|SELECT 0|RESET|QUIT
CLIENT ID|CLIENT SETNAME x|CLIENT GETNAME|CLIENT LIST ID 1|CLIENT INFO|CLIENT SETINFO LIB-NAME x|CLIENT NO-EVICT ON
COMMAND|COMMAND COUNT|COMMAND DOCS get|COMMAND INFO get|COMMAND LIST|CONFIG GET save *|CONFIG SET a b|INFO all server
HS ROLE|HS READY 1|HS STATUS|HS APP x|HS HELP`;

function encode(line: string): Buffer {
  const words = line.split(' ');
  return Buffer.from([`*${words.length}`, ...words.flatMap((word) => [`$${word.length}`, word]), ''].join('\r\n'));
}

void test('whatever is sent, the service answers, closes or waits, and goes on serving', async (t) => {
  const seeds = COMMANDS.trim().split(/[|\n]/).map(encode);
  const { path, connect: another, logger, replica } = await startService(t);
  await fc.assert(
    fc.asyncProperty(mutated(seeds), async (input) => {
      const socket = connect(path);
      socket.on('error', () => undefined);
      socket.resume();
      socket.end(input);
      await once(socket, 'close');
      assert.deepEqual(
        logger.warnings.filter(({ message }) => message.includes('should not')),
        [],
      );
    }),
    { numRuns: tries(20_000) },
  );
  const client = another();
  assert.equal(await client.ask('SET', 'after', '1'), 'OK');
  assert.equal(await client.ask('GET', 'after'), '1');
  assert.match(
    await client.text('INFO', 'clients'),
    /connected_clients:1\r\n.*\r\nblocked_clients:0\r\nheld_clients:0/,
  );
  assert.equal(replica.atomic.depth, 0);
});
