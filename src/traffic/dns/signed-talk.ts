import { HsctlError } from '../../kit/errors.ts';
import { ipv4Text, ipv6Text } from '../packed-address.ts';
import type { Ask } from './exchange.ts';
import type { DnsKey } from './key.ts';
import { type DnsAnswer, queryMessage, readAnswer, TYPE } from './message.ts';
import type { DnsActual, DnsTarget, RecordSet } from './plan.ts';
import { assertAgreed } from './rcodes.ts';
import { sign, verify } from './tsig.ts';

/** What a server answers for a name that is not there. */
const NXDOMAIN = 3;

interface TalkPorts {
  nextId(): number;
  nowS(): number;
}

/** Questions and changes on one connection, each signed and its answer checked. */
export class SignedTalk {
  readonly target: DnsTarget;
  readonly #ask: Ask;
  readonly #key: DnsKey;
  readonly #server: string;
  readonly #ports: TalkPorts;

  constructor(ask: Ask, target: DnsTarget, key: DnsKey, server: string, ports: TalkPorts) {
    this.#ask = ask;
    this.target = target;
    this.#key = key;
    this.#server = server;
    this.#ports = ports;
  }

  async actual(): Promise<DnsActual> {
    const answers = [await this.#records(TYPE.A), await this.#records(TYPE.AAAA)];
    const own = answers.flatMap((answer) => answer.answers).filter(({ name }) => name === this.target.name);
    const setOf = (type: number, text: (bytes: Uint8Array) => string): RecordSet | null => {
      const records = own.filter((record) => record.type === type);
      const [first] = records;
      return first === undefined ? null : { ttlS: first.ttl, values: records.map(({ data }) => text(data)) };
    };
    return {
      A: setOf(TYPE.A, ipv4Text),
      AAAA: setOf(TYPE.AAAA, ipv6Text),
      isAlias: own.some(({ type }) => type === TYPE.CNAME),
    };
  }

  async update(message: Uint8Array): Promise<void> {
    await this.#signed(message);
  }

  async #records(type: number): Promise<DnsAnswer> {
    const answer = await this.#signed(queryMessage(this.#ports.nextId(), this.target.name, type), [NXDOMAIN]);
    if (!answer.authoritative) {
      throw new HsctlError(
        'failed',
        `${this.#server} only knows ${this.target.name} from others`,
        `name the primary server of zone ${this.target.zone} in "server"`,
      );
    }
    return answer;
  }

  /** `accepted`: response codes that are no failure. */
  async #signed(message: Uint8Array, accepted: readonly number[] = []): Promise<DnsAnswer> {
    const nowS = this.#ports.nowS();
    const { bytes, mac } = sign(message, this.#key, nowS);
    const received = await this.#ask(bytes);
    const answer = readAnswer(received);
    if (!answer.isResponse || answer.id !== readAnswer(message).id) {
      throw new HsctlError('format', `${this.#server} answers something that was not asked`);
    }
    const verdict = verify(received, answer, mac, this.#key, nowS);
    const rcode = accepted.includes(answer.rcode) ? 0 : answer.rcode;
    assertAgreed(rcode, verdict, { server: this.#server, zone: this.target.zone, key: this.#key }, nowS);
    return answer;
  }
}
