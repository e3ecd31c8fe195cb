import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import * as requests from '../../src/api/requests.ts';
import { HsctlError } from '../../src/kit/errors.ts';
import { BatchCursor } from '../../src/protocol/batch/batch-cursor.ts';
import { BATCH_HEADER_BYTES } from '../../src/protocol/batch/layout.ts';
import { checkBatch } from '../../src/protocol/batch/check-batch.ts';
import { writeHeader } from '../../src/protocol/batch/batch-header.ts';
import { LinkDecoder } from '../../src/protocol/link/decode.ts';
import { encodeMessage } from '../../src/protocol/link/encode.ts';
import { CommandParser } from '../../src/protocol/resp/command-parser.ts';
import { RespDecoder } from '../../src/protocol/resp/resp-decoder.ts';
import { tries } from '../effort.ts';
import { anyRecords, batchOf, recordsOf } from '../protocol/batch/samples.ts';
import { anyConversation } from '../protocol/link/arbitrary-messages.ts';
import { Mutator } from './mutate.ts';

/** Inputs in all, in CI. */
const FULL = 1_000_000;
const SEED = Number(process.env['HSCTL_FUZZ_SEED'] ?? 1);
/** What decoding may add to the largest size that the process ever had: a length that is only claimed must cost nothing. */
const MEMORY_LIMIT_KIB = 300 * 1024;

const text = (lines: readonly string[]): Buffer[] => lines.map((line) => Buffer.from(line, 'latin1'));

const COMMANDS = text([
  '*3\r\n$3\r\nSET\r\n$5\r\nkey:1\r\n$8\r\nabcdefgh\r\n',
  '*2\r\n$3\r\nGET\r\n$5\r\nkey:1\r\n*1\r\n$4\r\nPING\r\n',
  'PING\r\nSET "a b" \'c\\x41\'\r\nGET a\r\n',
  '*7\r\n$5\r\nXREAD\r\n$5\r\nBLOCK\r\n$1\r\n0\r\n$7\r\nSTREAMS\r\n$6\r\nhs:log\r\n$3\r\n0-0\r\n$0\r\n\r\n',
  `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$300\r\n${'v'.repeat(300)}\r\n`,
]);

const REPLIES = text([
  '+OK\r\n:-12\r\n$-1\r\n*-1\r\n_\r\n#t\r\n,1.5\r\n,-inf\r\n',
  '*3\r\n:1\r\n*2\r\n+a\r\n*0\r\n_\r\n$4\r\na\r\nb\r\n',
  '(123456789012345678901234567890\r\n!5\r\nERR x\r\n=8\r\ntxt:text\r\n-ERR no\r\n',
  '%2\r\n+a\r\n:1\r\n+b\r\n~2\r\n:1\r\n:2\r\n>3\r\n+message\r\n+hs:role\r\n+master\r\n',
]);

const BODIES = text([
  '{"operator":"alice","node":"b","dryRun":true,"force":false,"allowDataLoss":false}',
  '{"operator":"alice","node":"b","timeoutMs":60000}',
  '{"operator":"alice","forMs":3600000}',
  '{"operator":"alice"}',
  '{"group":"world","afterId":"12","limit":"100","follow":"1"}',
]);

const SCHEMAS = Object.values(requests).filter((value) => typeof value === 'object');

function isOurs(error: unknown): boolean {
  return error instanceof HsctlError && (error.code === 'format' || error.code === 'usage');
}

function conversations(): Uint8Array[] {
  return fc.sample(anyConversation, { numRuns: 300, seed: SEED }).map((messages) =>
    Buffer.concat(
      messages.flatMap((message) => {
        const { head, payload } = encodeMessage(message);
        return payload === null ? [head] : [head, payload];
      }),
    ),
  );
}

function batches(): Uint8Array[] {
  return fc.sample(anyRecords, { numRuns: 300, seed: SEED }).map((records) => batchOf(records));
}

function feedLink(input: Uint8Array, cut: number): void {
  const decoder = new LinkDecoder();
  for (const piece of [input.subarray(0, cut), input.subarray(cut)]) {
    decoder.feed(piece);
    while (decoder.next() !== null);
  }
}

const cursor = new BatchCursor();

function walkBatch(input: Uint8Array): void {
  const { end } = recordsOf(checkBatch(input, 0, cursor)).length >= 0 ? cursor : { end: -1 };
  assert.ok(end <= input.length, 'records are within the batch');
}

/** What a peer that means harm can do: any records, with checksums that are right. */
function walkForgedBatch(input: Uint8Array): void {
  if (input.length < BATCH_HEADER_BYTES) return;
  const count = input[0]! % 24;
  writeHeader(input, { flags: input[1]! & 1, epoch: 1, firstSeq: 1, count, distance: Math.max(0, count - 1), hash: 0 });
  walkBatch(input);
}

function parseCommands(input: Uint8Array, cut: number): void {
  const parser = new CommandParser();
  parser.restricted = cut % 2 === 0;
  for (const piece of [input.subarray(0, cut), input.subarray(cut)]) {
    if (parser.error !== null) return;
    parser.push(piece);
    while (parser.next());
    assert.ok(parser.buffered <= input.length, 'no more is kept than was sent');
  }
}

function parseReplies(input: Uint8Array, cut: number): void {
  const decoder = new RespDecoder(1_000_000);
  for (const piece of [input.subarray(0, cut), input.subarray(cut)]) {
    decoder.push(Uint8Array.from(piece));
    while (decoder.next() !== undefined);
  }
}

function readBody(input: Uint8Array): void {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(input).toString());
  } catch (error) {
    assert.ok(error instanceof SyntaxError);
    return;
  }
  for (const schema of SCHEMAS) {
    try {
      requests.checked(schema, value);
    } catch (error) {
      assert.ok(isOurs(error), String(error));
    }
  }
}

const DECODERS: readonly {
  readonly name: string;
  readonly share: number;
  readonly samples: () => readonly Uint8Array[];
  readonly decode: (input: Uint8Array, cut: number) => void;
}[] = [
  { name: 'messages of control and peer links', share: 0.3, samples: conversations, decode: feedLink },
  { name: 'batches', share: 0.15, samples: batches, decode: walkBatch },
  { name: 'batches with right checksums', share: 0.15, samples: batches, decode: walkForgedBatch },
  { name: 'commands of the app', share: 0.2, samples: () => COMMANDS, decode: parseCommands },
  { name: 'replies to the SDK', share: 0.1, samples: () => REPLIES, decode: parseReplies },
  { name: 'bodies of the API', share: 0.1, samples: () => BODIES, decode: readBody },
];

describe('decoders fed with mutated inputs', () => {
  for (const { name, share, samples, decode } of DECODERS) {
    it(`${name}: understood or refused, in bounded memory`, () => {
      const mutator = new Mutator(samples(), SEED);
      const before = process.resourceUsage().maxRSS;
      let refused = 0;
      const count = tries(FULL * share);
      for (let run = 0; run < count; run += 1) {
        const input = mutator.next();
        try {
          decode(input, mutator.cut(input));
        } catch (error) {
          if (!isOurs(error))
            throw new Error(`input ${run} of seed ${SEED}: ${Buffer.from(input).toString('hex')}`, { cause: error });
          refused += 1;
        }
      }
      assert.ok(refused < count, 'not every input is refused');
      const grownKib = process.resourceUsage().maxRSS - before;
      assert.ok(grownKib < MEMORY_LIMIT_KIB, `${grownKib} KiB more than before`);
    });
  }
});
