import type { ProbeOptions } from '../config/probe-kinds.ts';
import type { Random } from '../kit/random.ts';
import type { Probe, ProbeDeps, ProbeResult } from './probe.ts';
import { ProbeFailure } from './reason.ts';
import { overUdp } from './udp.ts';
import { overTcp } from './wire.ts';

/** Good if a DNS server answers a question with at least one record. */
export function dnsProbe(options: ProbeOptions<'dns'>, { random }: ProbeDeps): Probe {
  return {
    look(target, signal) {
      const question = questionOf(options, random);
      if (options.transport === 'udp') {
        return overUdp(options, target, signal, question, (socket, resolve) => {
          // What answers another question, or is too short to tell, may be late or forged: the right one may follow.
          socket.on('message', (answer) => answers(question, answer) && resolve(() => judge(answer, options)));
          return null;
        });
      }
      return overTcp(options, target, signal, async (wire) => {
        const head = Buffer.alloc(2);
        head.writeUInt16BE(question.length);
        wire.write(Buffer.concat([head, question]));
        const length = (await wire.bytes(2, 'answer')).readUInt16BE();
        const answer = await wire.bytes(length, 'answer');
        if (!answers(question, answer)) throw new ProbeFailure('answered something else than the question');
        return judge(answer, options);
      });
    },
  };
}

const HEADER_BYTES = 12;
const RECORDS = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33 } as const;
const CODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

/** A message with one question, recursion desired. */
function questionOf({ name, record }: ProbeOptions<'dns'>, random: Random): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  const head = Buffer.from([Math.floor(random() * 256), Math.floor(random() * 256), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const encoded = labels.flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Buffer.concat([head, Buffer.from([...encoded, 0, 0, RECORDS[record], 0, 1])]);
}

/** Whether it is an answer to this very question: the same number, and the question repeated. */
function answers(question: Buffer, answer: Buffer): boolean {
  if (answer.length < HEADER_BYTES || answer.readUInt16BE(0) !== question.readUInt16BE(0)) return false;
  if (answer.readUInt8(2) < 128) return false;
  const code = answer.readUInt8(3) & 15;
  // An error may come without the question.
  if (answer.readUInt16BE(4) === 0) return code !== 0;
  const repeated = answer.subarray(HEADER_BYTES, question.length).toString('latin1').toLowerCase();
  return repeated === question.subarray(HEADER_BYTES).toString('latin1').toLowerCase();
}

function judge(answer: Buffer, { name, record }: ProbeOptions<'dns'>): ProbeResult {
  const code = answer.readUInt8(3) & 15;
  if (code !== 0) throw new ProbeFailure(`answered ${CODES[code] ?? `error ${code}`} for ${name} ${record}`);
  const records = answer.readUInt16BE(6);
  if (records === 0) throw new ProbeFailure(`knows no ${record} of ${name}`);
  return { good: true, detail: `${records} ${records === 1 ? 'record' : 'records'} for ${name} ${record}` };
}
