import { KEY_LIMIT_BYTES, RECORD_HEADER_BYTES } from '../../../protocol/batch/layout.ts';
import type { Arguments } from '../../../protocol/resp/arguments.ts';
import type { Client } from '../client.ts';
import { command, type Command } from '../command.ts';

/** Keys and their values. */

const KEY_TOO_LONG = `ERR key is longer than ${KEY_LIMIT_BYTES} bytes`;
const EXPIRY_OPTIONS = ['EX', 'PX', 'EXAT', 'PXAT', 'KEEPTTL'];

function isKey(args: Arguments, index: number): boolean {
  return args.length(index) <= KEY_LIMIT_BYTES;
}

/** The value of the key that is argument `index`; null if absent, as a key that is too long always is. */
function valueOf(client: Client, args: Arguments, index: number): Uint8Array | null {
  return isKey(args, index) ? client.context.replica.get(args.view(index)) : null;
}

function put(client: Client, args: Arguments, index: number): void {
  const { replica } = client.context;
  const { bytes } = args;
  const pieces = args.pieces(index + 1);
  if (pieces === null) {
    replica.set(bytes, args.start(index), args.end(index), args.start(index + 1), args.end(index + 1));
  } else {
    pieces.copyTo(replica.setLater(bytes, args.start(index), args.end(index), pieces.length));
  }
}

function writeValue(client: Client, value: Uint8Array | null): void {
  if (value === null) client.out.null();
  else client.out.bulk(value);
}

function set(client: Client, args: Arguments): void {
  if (!isKey(args, 1)) return client.out.error(KEY_TOO_LONG);
  if (args.count > 3) return setWithOptions(client, args);
  put(client, args, 1);
  client.out.ok();
}

function setWithOptions(client: Client, args: Arguments): void {
  let onlyNew = false;
  let onlyOld = false;
  let giveOld = false;
  for (let index = 3; index < args.count; index++) {
    if (args.is(index, 'NX')) onlyNew = true;
    else if (args.is(index, 'XX')) onlyOld = true;
    else if (args.is(index, 'GET')) giveOld = true;
    else {
      const expiry = EXPIRY_OPTIONS.find((option) => args.is(index, option));
      const why = expiry === undefined ? '' : `: ${expiry} is not supported, records do not expire`;
      return client.out.error(`ERR syntax error${why}`);
    }
  }
  if (onlyNew && onlyOld) return client.out.error('ERR syntax error');
  const { replica } = client.context;
  const exists = replica.valueLength(args.view(1)) >= 0;
  const written = onlyNew ? !exists : !onlyOld || exists;
  if (giveOld) writeValue(client, exists ? replica.get(args.view(1)) : null);
  else if (written) client.out.ok();
  else client.out.null();
  if (written) put(client, args, 1);
}

function setMany(client: Client, args: Arguments): void {
  if (args.count % 2 === 0) return client.out.error("ERR wrong number of arguments for 'mset' command");
  for (let index = 1; index < args.count; index += 2) {
    if (!isKey(args, index)) return client.out.error(KEY_TOO_LONG);
  }
  atomically(client, args, () => {
    for (let index = 1; index < args.count; index += 2) put(client, args, index);
  });
  client.out.ok();
}

function remove(client: Client, args: Arguments): void {
  let removed = 0;
  atomically(client, args, () => {
    for (let index = 1; index < args.count; index++) {
      if (!isKey(args, index)) continue;
      if (client.context.replica.delete(args.bytes, args.start(index), args.end(index)) > 0) removed += 1;
    }
  });
  client.out.integer(removed);
}

/** All records that `write` makes of the arguments stand in one batch. Within a transaction they do anyway. */
function atomically(client: Client, args: Arguments, write: () => void): void {
  const { replica } = client.context;
  if (client.session.executing) return write();
  replica.beginAtomic(args.hasPieces ? args.totalBytes + RECORD_HEADER_BYTES * args.count : 0);
  try {
    write();
  } finally {
    replica.endAtomic();
  }
}

export const stringCommands: readonly Command[] = [
  command('set', -3, { kind: 'write', keys: [1, 1, 1], group: 'string', summary: 'Sets the value of a key.' }, set),
  command(
    'get',
    2,
    { kind: 'read', keys: [1, 1, 1], group: 'string', summary: 'Returns the value of a key.' },
    (client, args) => writeValue(client, valueOf(client, args, 1)),
  ),
  command(
    'mset',
    -3,
    { kind: 'write', keys: [1, -1, 2], group: 'string', summary: 'Sets several keys, all or none.' },
    setMany,
  ),
  command(
    'mget',
    -2,
    { kind: 'read', keys: [1, -1, 1], group: 'string', summary: 'Returns the values of several keys.' },
    (client, args) => {
      client.out.array(args.count - 1);
      for (let index = 1; index < args.count; index++) writeValue(client, valueOf(client, args, index));
    },
  ),
  command(
    'strlen',
    2,
    { kind: 'read', keys: [1, 1, 1], group: 'string', summary: 'Returns the length of a value.' },
    (client, args) => {
      const length = isKey(args, 1) ? client.context.replica.valueLength(args.view(1)) : -1;
      client.out.integer(Math.max(0, length));
    },
  ),
  command(
    'exists',
    -2,
    { kind: 'read', keys: [1, -1, 1], group: 'generic', summary: 'Returns how many of the keys exist.' },
    (client, args) => {
      let found = 0;
      for (let index = 1; index < args.count; index++) {
        if (isKey(args, index) && client.context.replica.valueLength(args.view(index)) >= 0) found += 1;
      }
      client.out.integer(found);
    },
  ),
  command('del', -2, { kind: 'write', keys: [1, -1, 1], group: 'generic', summary: 'Deletes keys.' }, remove),
  command('unlink', -2, { kind: 'write', keys: [1, -1, 1], group: 'generic', summary: 'Deletes keys.' }, remove),
];
