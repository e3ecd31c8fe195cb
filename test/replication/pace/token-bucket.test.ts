import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { TokenBucket } from '../../../src/replication/pace/token-bucket.ts';

const MiB = 1024 * 1024;
const pace = { bytesPerSecond: 20 * MiB, intervalMs: 100 };

/** Sends pieces as fast as the bucket allows until `endMs`; `lateMs` says how late each timer fires. */
function send(
  bucket: TokenBucket,
  fromMs: number,
  endMs: number,
  lateMs: () => number,
  piece?: number,
): [number, number][] {
  const sent: [number, number][] = [];
  let nowMs = fromMs;
  while (nowMs < endMs) {
    const bytes = piece ?? bucket.pieceBytes(256 * 1024);
    const waitMs = bucket.waitMs(bytes, nowMs);
    if (waitMs > 0) {
      nowMs += waitMs + lateMs();
      continue;
    }
    bucket.take(bytes, nowMs);
    sent.push([nowMs, bytes]);
  }
  return sent;
}

function bytesWithin(sent: readonly [number, number][], fromMs: number, toMs: number): number {
  return sent.reduce((sum, [atMs, bytes]) => (atMs >= fromMs && atMs < toMs ? sum + bytes : sum), 0);
}

suite('the pace of a catch-up', () => {
  test('is kept within 5 % in every window of an interval, at any rate, with timers that are late', () => {
    const rates = fc.integer({ min: 1, max: 1000 }).map((rate) => rate * MiB);
    fc.assert(
      fc.property(
        rates,
        fc.array(fc.double({ min: 0, max: 2, noNaN: true }), { minLength: 1 }),
        (bytesPerSecond, lateness) => {
          let index = 0;
          const lateMs = (): number => lateness[index++ % lateness.length]!;
          const sent = send(new TokenBucket({ bytesPerSecond, intervalMs: 100 }, 0), 0, 1000, lateMs);
          for (let fromMs = 100; fromMs <= 800; fromMs += 33) {
            const share = bytesWithin(sent, fromMs, fromMs + 100) / (bytesPerSecond / 10);
            assert.ok(Math.abs(share - 1) <= 0.055, `${share} of the pace from ${fromMs} ms on`);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  test('begins with nothing saved up, and saves up one interval at most', () => {
    const bucket = new TokenBucket(pace, 1000);
    assert.ok(bucket.waitMs(1, 1000) > 0);
    assert.equal(bucket.waitMs(2 * MiB, 1100), 0);
    bucket.take(2 * MiB, 5000);
    assert.ok(bucket.waitMs(1, 5000) > 0);
  });

  test('holds for pieces larger than an interval too', () => {
    const sent = send(new TokenBucket(pace, 0), 0, 10_000, () => 0, 8 * MiB);
    const total = bytesWithin(sent, 0, 10_000);
    assert.ok(Math.abs(total - 200 * MiB) <= 8 * MiB, `${total} bytes in ten seconds`);
  });

  test('can be changed while it is in use, lifted and set again', () => {
    const bucket = new TokenBucket(pace, 0);
    assert.equal(
      bytesWithin(
        send(bucket, 0, 1000, () => 0),
        0,
        1000,
      ) >
        19 * MiB,
      true,
    );
    bucket.setPace({ ...pace, bytesPerSecond: MiB }, 1000);
    assert.ok(
      bytesWithin(
        send(bucket, 1000, 2000, () => 0),
        1000,
        2000,
      ) <
        1.2 * MiB,
    );
    bucket.setPace({ ...pace, bytesPerSecond: null }, 2000);
    assert.equal(bucket.waitMs(1000 * MiB, 2000), 0);
    bucket.take(1000 * MiB, 2000);
    assert.equal(bucket.pieceBytes(256 * 1024), 256 * 1024);
    bucket.setPace(pace, 3000);
    assert.ok(
      bytesWithin(
        send(bucket, 3000, 4000, () => 0),
        3000,
        4000,
      ) >
        17 * MiB,
    );
  });

  test('never asks to wait longer than an interval', () => {
    const bucket = new TokenBucket({ bytesPerSecond: 1, intervalMs: 100 }, 0);
    bucket.take(1000, 0);
    assert.equal(bucket.waitMs(1, 0), 100);
  });

  test('lets what was written meanwhile go beside it', () => {
    const bucket = new TokenBucket(pace, 0);
    bucket.give(3 * MiB);
    assert.equal(bucket.waitMs(2 * MiB, 0), 0);
    bucket.take(3 * MiB, 0);
    assert.ok(bucket.waitMs(1024, 0) > 0);
  });
});
