import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import type { Server } from '../replication/load.ts';

const CONNECTIONS = 4;
/** Records in one write to a connection, and writes that may wait for their answers. */
const CHUNK_RECORDS = 250;
const CHUNKS_UNDER_WAY = 2;
const KEY_DIGITS = 12;
const POOL_BYTES = 1024 * 1024;
const NEWLINE = 10;

/** Key of a record, as `fill` writes it. */
export function keyOf(record: number): string {
  return `record:${String(record).padStart(KEY_DIGITS, '0')}`;
}

/** Writes `records` records of random bytes; resolves when all were acknowledged. */
export async function fill(server: Server, records: number, valueBytes: number): Promise<void> {
  const share = Math.ceil(records / CONNECTIONS);
  const shares = Array.from({ length: CONNECTIONS }, (_, index) => {
    const first = index * share;
    return fillShare(server, first, Math.min(first + share, records), valueBytes);
  });
  await Promise.all(shares);
}

function fillShare(server: Server, first: number, end: number, valueBytes: number): Promise<void> {
  const socket = typeof server === 'number' ? connect(server, '127.0.0.1') : connect(server);
  const chunks = Array.from({ length: CHUNKS_UNDER_WAY }, () => new Chunk(valueBytes));
  let next = first;
  let answered = first;
  const send = (index: number): void => {
    const chunk = chunks[index];
    if (chunk === undefined || next >= end) return;
    const count = Math.min(CHUNK_RECORDS, end - next);
    const bytes = chunk.of(next, count);
    next += count;
    // The chunk is free again when its last answer has come; it cannot come before the kernel has it all.
    socket.write(bytes);
  };
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server closed the connection while it was filled')));
    socket.on('data', (bytes: Buffer) => {
      if (bytes[0] === 45) return reject(new Error(`the server says ${bytes.toString()}`));
      const before = Math.floor((answered - first) / CHUNK_RECORDS);
      answered += linesIn(bytes);
      const after = Math.floor((answered - first) / CHUNK_RECORDS);
      for (let chunk = before; chunk < after; chunk++) send(chunk % CHUNKS_UNDER_WAY);
      if (answered < end) return;
      socket.removeAllListeners('close').destroy();
      resolve();
    });
    for (let index = 0; index < CHUNKS_UNDER_WAY; index++) send(index);
  });
}

function linesIn(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}

/** A buffer of SET commands that is filled again and again. */
class Chunk {
  readonly #bytes: Buffer;
  readonly #pool = randomBytes(POOL_BYTES);
  readonly #stride: number;
  readonly #keyAt: number;
  readonly #valueAt: number;
  readonly #valueBytes: number;

  constructor(valueBytes: number) {
    const head = `*3\r\n$3\r\nSET\r\n$${keyOf(0).length}\r\n`;
    const value = `\r\n$${valueBytes}\r\n`;
    const one = Buffer.from(`${head}${keyOf(0)}${value}${' '.repeat(valueBytes)}\r\n`);
    this.#stride = one.length;
    this.#keyAt = head.length;
    this.#valueAt = head.length + keyOf(0).length + value.length;
    this.#valueBytes = valueBytes;
    this.#bytes = Buffer.alloc(CHUNK_RECORDS * one.length);
    for (let at = 0; at < this.#bytes.length; at += one.length) one.copy(this.#bytes, at);
  }

  of(first: number, count: number): Buffer {
    for (let index = 0; index < count; index++) {
      const at = index * this.#stride;
      this.#bytes.write(keyOf(first + index), at + this.#keyAt, 'latin1');
      const from = Math.floor(Math.random() * (POOL_BYTES - this.#valueBytes));
      this.#pool.copy(this.#bytes, at + this.#valueAt, from, from + this.#valueBytes);
    }
    return this.#bytes.subarray(0, count * this.#stride);
  }
}
