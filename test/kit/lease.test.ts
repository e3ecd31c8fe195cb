import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { grantDurationMs, LeaseGrantor, LeaseHolder } from '../../src/kit/lease.ts';

/** How much faster or slower than true time either clock may run. */
const CLOCK_DRIFT = 0.002;
const LEASE_MS = 1_000;
const GRANT_MS = grantDurationMs(LEASE_MS, 0);

/** A clock that starts somewhere and runs a little fast or slow. */
interface Drifting {
  readonly startMs: number;
  readonly rate: number;
}

const drifting = fc.record({
  startMs: fc.integer({ min: 0, max: 1e9 }),
  rate: fc.double({ min: 1 - CLOCK_DRIFT, max: 1 + CLOCK_DRIFT, noNaN: true }),
});

const read = ({ startMs, rate }: Drifting, trueMs: number): number => startMs + trueMs * rate;

/** One request and what the network does to it: when it is sent, and how long either way takes; null: the answer is lost. */
const request = fc.record({
  sentMs: fc.double({ min: 0, max: 5_000, noNaN: true }),
  thereMs: fc.double({ min: 0, max: 3_000, noNaN: true }),
  backMs: fc.option(fc.double({ min: 0, max: 3_000, noNaN: true })),
});

describe('a lease', () => {
  it('ends at its holder before it ends at its grantor, for all orders, delays and clocks', () => {
    fc.assert(
      fc.property(
        drifting,
        drifting,
        fc.array(request, { minLength: 1, maxLength: 8 }),
        fc.array(fc.double({ min: 0, max: 12_000, noNaN: true }), { minLength: 20, maxLength: 20 }),
        (holderClock, grantorClock, requests, looks) => {
          const holder = new LeaseHolder();
          const grantor = new LeaseGrantor(read(grantorClock, 0), 0, 0);
          const events = requests.flatMap(({ sentMs, thereMs, backMs }) => {
            const askedMs = sentMs + thereMs;
            const grant = { atMs: askedMs, run: () => grantor.grant(read(grantorClock, askedMs), GRANT_MS, 1) };
            if (backMs === null) return [grant];
            const take = (): void => holder.granted(read(holderClock, sentMs), LEASE_MS, 0);
            return [grant, { atMs: askedMs + backMs, run: take }];
          });
          const look = (atMs: number) => ({
            atMs,
            run: () => {
              const holds = holder.untilMs > read(holderClock, atMs);
              const runs = grantor.runsMs(read(grantorClock, atMs)) > 0;
              assert.ok(!holds || runs, `at ${atMs} ms the holder serves, and the grantor is free`);
            },
          });
          // The worst moments to look are those at which something has just happened, and the last of the lease.
          const moments = [...looks, ...events.map(({ atMs }) => atMs)];
          const lastMs = ({ startMs, rate }: Drifting): number => (holder.untilMs - startMs) / rate - 0.001;
          for (const { run } of [...events, ...moments.map(look)].toSorted((one, other) => one.atMs - other.atMs))
            run();
          if (Number.isFinite(holder.untilMs)) look(lastMs(holderClock)).run();
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('never gets shorter by an answer that comes late', () => {
    const holder = new LeaseHolder();
    holder.granted(500, LEASE_MS, 0);
    const { untilMs } = holder;
    holder.granted(400, LEASE_MS, 0);
    assert.equal(holder.untilMs, untilMs);
    assert.equal(holder.lingersUntilMs, untilMs);
    holder.granted(400, LEASE_MS, 300);
    assert.deepEqual([holder.untilMs, holder.lingersUntilMs], [untilMs, untilMs + 200]);
    assert.ok(untilMs < 500 + LEASE_MS);
  });

  it('is none if nothing was granted', () => {
    const holder = new LeaseHolder();
    assert.equal(holder.untilMs, -Infinity);
    holder.granted(500, 0, 1000);
    assert.equal(holder.untilMs, -Infinity);
  });
});

describe('a grantor', () => {
  it('assumes after its start that it gave the longest grant the moment before', () => {
    const grantor = new LeaseGrantor(100, 9_000, 4);
    assert.equal(grantor.runsMs(100), 9_000);
    assert.equal(grantor.runsMs(9_099), 1);
    assert.equal(grantor.runsMs(9_100), 0);
  });

  it('is free at once when the holder gives up the epoch of the grant, or a later one', () => {
    for (const epoch of [4, 5]) {
      const grantor = new LeaseGrantor(0, 0, 0);
      grantor.grant(100, GRANT_MS, 4);
      grantor.renounced(3);
      assert.equal(grantor.runsMs(100), GRANT_MS);
      grantor.renounced(epoch);
      assert.equal(grantor.runsMs(100), 0);
    }
  });

  it('is not freed by an old word once it has granted under a later epoch', () => {
    const grantor = new LeaseGrantor(0, 0, 0);
    grantor.grant(100, GRANT_MS, 4);
    grantor.grant(200, GRANT_MS, 5);
    grantor.renounced(4);
    assert.equal(grantor.runsMs(200), GRANT_MS);
  });

  it('waits for what outlives the lease on the node too', () => {
    assert.equal(grantDurationMs(LEASE_MS, 2_000) - grantDurationMs(LEASE_MS, 0), 2_000);
    assert.ok(grantDurationMs(LEASE_MS, 0) > LEASE_MS);
  });
});
