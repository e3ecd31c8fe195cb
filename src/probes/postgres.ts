import { createHash } from 'node:crypto';
import type { ProbeOptions } from '../config/probe-kinds.ts';
import { readPassword } from './password.ts';
import type { Probe, ProbeResult } from './probe.ts';
import { ProbeFailure, printable, shown } from './reason.ts';
import { Scram } from './scram.ts';
import { overTcp, type Wire } from './wire.ts';

/**
 * Good if a PostgreSQL server takes connections, as pg_isready has it, and, where there is an account, lets it in and
 * answers the query. A server that starts, stops or has no connection left is not good.
 */
export function postgresProbe(options: ProbeOptions<'postgres'>): Probe {
  return {
    look: (target, signal) =>
      overTcp(options, target, signal, async (wire) => {
        const { user, query } = options;
        const password = await readPassword(options.passwordFile);
        wire.write(startup(user ?? ANYBODY, options.database ?? user ?? ANYBODY));
        const first = await read(wire);
        if (user === null) return judgeStranger(wire, first);
        await authenticate(wire, first, user, password);
        await untilReady(wire);
        if (query !== null) {
          wire.write(message('Q', `${query}\0`));
          await untilReady(wire);
        }
        wire.write(message('X', ''));
        return { good: true, detail: query === null ? `${user} is let in` : 'query answered' };
      }),
  };
}

/** Who logs in where no account is given: nobody that exists. */
const ANYBODY = 'hsctl';
const PROTOCOL_3 = 196_608;
const MESSAGE_LIMIT_BYTES = 32 * 1024;

/** What the server wants of a client. */
const AUTHENTICATED = 0;
const CLEAR_PASSWORD = 3;
const MD5_PASSWORD = 5;
const SASL = 10;
const SASL_CONTINUE = 11;
const SASL_FINAL = 12;

interface Message {
  readonly type: string;
  readonly body: Buffer;
}

async function read(wire: Wire): Promise<Message> {
  const head = await wire.bytes(5, 'answer');
  const length = head.readUInt32BE(1) - 4;
  if (!/[A-Za-z]/.test(head.toString('latin1', 0, 1)) || length < 0 || length > MESSAGE_LIMIT_BYTES) {
    throw new ProbeFailure(`no PostgreSQL: ${shown(head)}`);
  }
  return { type: head.toString('latin1', 0, 1), body: await wire.bytes(length, 'answer') };
}

function message(type: string, body: string): Buffer {
  const bytes = Buffer.from(body);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length + 4);
  return Buffer.concat([Buffer.from(type), length, bytes]);
}

function startup(user: string, database: string): Buffer {
  const version = Buffer.alloc(4);
  version.writeUInt32BE(PROTOCOL_3);
  const settings = `user\0${user}\0database\0${database}\0application_name\0hsctl\0\0`;
  return message('', `${version.toString('latin1')}${settings}`);
}

/** Without an account: that the server decides on it at all is its sign of life. */
function judgeStranger(wire: Wire, first: Message): ProbeResult {
  if (first.type === 'R') {
    wire.write(message('X', ''));
    return { good: true, detail: 'takes connections' };
  }
  const { state, text } = errorOf(first);
  // 28: no such account; 3D: no such database.
  const refused = state.startsWith('28') || state.startsWith('3D');
  return refused ? { good: true, detail: 'takes connections, refuses strangers' } : { good: false, detail: text };
}

async function authenticate(wire: Wire, first: Message, user: string, password: string): Promise<void> {
  let scram: Scram | null = null;
  for (let next = first; ; next = await read(wire)) {
    if (next.type !== 'R' || next.body.length < 4) throw new ProbeFailure(errorOf(next).text);
    const wanted = next.body.readUInt32BE(0);
    const said = next.body.subarray(4);
    if (wanted === AUTHENTICATED) return;
    if (wanted === MD5_PASSWORD) wire.write(message('p', `${md5Proof(user, password, said.subarray(0, 4))}\0`));
    else if (wanted === SASL && said.toString('latin1').split('\0').includes('SCRAM-SHA-256')) {
      scram = new Scram(password);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(scram.first.length);
      wire.write(message('p', `SCRAM-SHA-256\0${length.toString('latin1')}${scram.first}`));
    } else if (wanted === SASL_CONTINUE && scram !== null) {
      wire.write(message('p', await scram.final(said.toString('latin1'))));
    } else if (wanted === SASL_FINAL && scram !== null) scram.check(said.toString('latin1'));
    else if (wanted === CLEAR_PASSWORD)
      throw new ProbeFailure('wants the password in clear text, which this probe refuses');
    else throw new ProbeFailure(`wants a way of authentication that this probe does not speak (${wanted})`);
  }
}

function md5Proof(user: string, password: string, salt: Buffer): string {
  const md5 = (text: string, more: Buffer): string => createHash('md5').update(text).update(more).digest('hex');
  return `md5${md5(md5(password + user, Buffer.alloc(0)), salt)}`;
}

/** Reads to the end of an answer. @throws ProbeFailure with the server's error, if it has one */
async function untilReady(wire: Wire): Promise<void> {
  for (;;) {
    const next = await read(wire);
    if (next.type === 'E') throw new ProbeFailure(errorOf(next).text);
    if (next.type === 'Z') return;
  }
}

/** The SQLSTATE and the text of an error; of any other message, that it is none. */
function errorOf({ type, body }: Message): { readonly state: string; readonly text: string } {
  if (type !== 'E') return { state: '', text: `no PostgreSQL: ${shown(`${type}${body.toString('latin1', 0, 80)}`)}` };
  const fields = new Map(
    body
      .toString('utf8')
      .split('\0')
      .map((field) => [field.slice(0, 1), field.slice(1)]),
  );
  const state = fields.get('C') ?? '';
  return { state, text: printable(`${fields.get('M') ?? 'error'} (${state})`.slice(0, 200)) };
}
