import { createHash } from 'node:crypto';
import type { ProbeOptions } from '../config/probe-kinds.ts';
import { readPassword } from './password.ts';
import type { Probe, ProbeResult } from './probe.ts';
import { ProbeFailure, printable, shown } from './reason.ts';
import { overTcp, type Wire } from './wire.ts';

/**
 * Good if a MySQL or MariaDB server greets, decides on a login and, where there is an account, answers a ping and the
 * query. The session is always carried to its end: servers block machines that break off too many handshakes.
 */
export function mysqlProbe(options: ProbeOptions<'mysql'>): Probe {
  return {
    look: (target, signal) =>
      overTcp(options, target, signal, async (wire) => {
        const password = await readPassword(options.passwordFile);
        const session = new Session(wire);
        const greeting = greetingOf(await session.read('greeting'));
        const refusal = await session.logIn(greeting, options.user ?? ANYBODY, password);
        if (refusal !== null) return judgeRefusal(refusal, greeting.version, options.user);
        await session.ask([COM_PING]);
        if (options.query !== null) await session.ask([COM_QUERY, ...Buffer.from(options.query)]);
        session.quit();
        return { good: true, detail: greeting.version };
      }),
  };
}

/** Who logs in where no account is given: nobody that exists. */
const ANYBODY = 'hsctl';
/** Errors that say that this account may not log in, from a server that works. */
const ACCOUNT_REFUSED = new Set([1045, 1698, 1862, 3118]);

const COM_QUIT = 1;
const COM_QUERY = 3;
const COM_PING = 14;

const OK = 0x00;
const MORE = 0x01;
const LOCAL_FILE = 0xfb;
const SWITCH = 0xfe;
const ERROR = 0xff;

const PROTOCOL_10 = 10;
const PACKET_LIMIT_BYTES = 16 * 1024;
/** LONG_PASSWORD, PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH. */
const CAPABILITIES = 0x1 | 0x200 | 0x8000 | 0x80000;
const UTF8MB4 = 45;
const SCRAMBLE_BYTES = 20;
/** What `caching_sha2_password` says where it knows the password already. */
const FAST_AUTH_DONE = 3;

interface Greeting {
  readonly version: string;
  readonly plugin: string;
  readonly scramble: Buffer;
}

interface Refusal {
  readonly code: number;
  readonly text: string;
}

/** A session of packets: three bytes of length, a number, the payload. */
class Session {
  readonly #wire: Wire;
  #number = 0;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  async read(what: string): Promise<Buffer> {
    const head = await this.#wire.bytes(4, what);
    const length = head.readUIntLE(0, 3);
    if (length === 0 || length > PACKET_LIMIT_BYTES) throw new ProbeFailure(`no MySQL: ${shown(head)}`);
    this.#number = head.readUInt8(3) + 1;
    return this.#wire.bytes(length, what);
  }

  /** Null once logged in, else why not. */
  async logIn(greeting: Greeting, user: string, password: string): Promise<Refusal | null> {
    const head = Buffer.alloc(32);
    head.writeUInt32LE(CAPABILITIES, 0);
    head.writeUInt32LE(PACKET_LIMIT_BYTES, 4);
    head.writeUInt8(UTF8MB4, 8);
    const proof = proofOf(greeting.plugin, password, greeting.scramble) ?? Buffer.alloc(0);
    const name = Buffer.from(`${user}\0`);
    this.#send(Buffer.concat([head, name, Buffer.from([proof.length]), proof, Buffer.from(`${greeting.plugin}\0`)]));
    for (;;) {
      const answer = await this.read('answer to the login');
      const kind = answer.readUInt8(0);
      if (kind === OK) return null;
      if (kind === ERROR) return errorOf(answer);
      if (kind === SWITCH) this.#switchPlugin(answer, password);
      else if (kind !== MORE) throw new ProbeFailure(`no MySQL: ${shown(answer)}`);
      else if (answer[1] !== FAST_AUTH_DONE) {
        throw new ProbeFailure('the account wants TLS to check its password: use one with mysql_native_password');
      }
    }
  }

  #switchPlugin(answer: Buffer, password: string): void {
    const end = answer.indexOf(0, 1);
    const plugin = end < 0 ? '' : answer.toString('latin1', 1, end);
    const proof = proofOf(plugin, password, answer.subarray(end + 1, end + 1 + SCRAMBLE_BYTES));
    // Nothing else is tried: some plugins would have us send the password itself.
    if (proof === null) throw new ProbeFailure(`the account wants ${shown(plugin)}, which this probe does not speak`);
    this.#send(proof);
  }

  /** Sends a command and waits for its success. @throws ProbeFailure with the server's error */
  async ask(command: readonly number[]): Promise<void> {
    this.#number = 0;
    this.#send(Buffer.from(command));
    const answer = await this.read('answer');
    const kind = answer.readUInt8(0);
    if (kind === ERROR) throw new ProbeFailure(errorOf(answer).text);
    if (kind === LOCAL_FILE) throw new ProbeFailure('asks for a file of ours');
  }

  quit(): void {
    this.#number = 0;
    this.#send(Buffer.from([COM_QUIT]));
  }

  #send(payload: Buffer): void {
    const head = Buffer.alloc(4);
    head.writeUIntLE(payload.length, 0, 3);
    head.writeUInt8(this.#number & 255, 3);
    this.#wire.write(Buffer.concat([head, payload]));
  }
}

/** @throws ProbeFailure where it is none, or an error */
function greetingOf(packet: Buffer): Greeting {
  if (packet[0] === ERROR) throw new ProbeFailure(errorOf(packet).text);
  const end = packet.indexOf(0, 1);
  // Version, thread, 8 bytes of scramble, then 19 bytes of what a server can; the rest of the scramble and the plugin.
  const rest = end + 32;
  if (packet[0] !== PROTOCOL_10 || end < 0 || packet.length < rest + 13) {
    throw new ProbeFailure(`no MySQL: ${shown(packet)}`);
  }
  const scramble = Buffer.concat([packet.subarray(end + 5, end + 13), packet.subarray(rest, rest + 12)]);
  const length = Math.max(13, packet.readUInt8(end + 21) - 8);
  const plugin =
    packet
      .subarray(rest + length)
      .toString('latin1')
      .split('\0')[0] ?? '';
  return { version: printable(packet.toString('latin1', 1, Math.min(end, 80))), plugin, scramble };
}

function errorOf(packet: Buffer): Refusal {
  const code = packet.length < 3 ? 0 : packet.readUInt16LE(1);
  const text = packet.toString('utf8', 3).replace(/^#[0-9A-Z]{5}/, '');
  return { code, text: `error ${code}: ${printable(text.slice(0, 200))}` };
}

function judgeRefusal({ code, text }: Refusal, version: string, user: string | null): ProbeResult {
  const answers = user === null && ACCOUNT_REFUSED.has(code);
  return answers ? { good: true, detail: `${version}, refuses strangers` } : { good: false, detail: text };
}

const ALGORITHMS = new Map([
  ['mysql_native_password', 'sha1'],
  ['caching_sha2_password', 'sha256'],
]);

/** The proof of a password that a plugin wants; null for a plugin that is not spoken here. */
function proofOf(plugin: string, password: string, scramble: Buffer): Buffer | null {
  const algorithm = ALGORITHMS.get(plugin);
  if (algorithm === undefined) return null;
  if (password === '') return Buffer.alloc(0);
  const hash = (...parts: Buffer[]): Buffer => createHash(algorithm).update(Buffer.concat(parts)).digest();
  const once = hash(Buffer.from(password));
  const twice = hash(once);
  const mask = algorithm === 'sha1' ? hash(scramble, twice) : hash(twice, scramble);
  return Buffer.from(once.map((byte, index) => byte ^ (mask[index] ?? 0)));
}
