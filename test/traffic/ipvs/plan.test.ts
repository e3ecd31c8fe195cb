import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { DesiredTraffic } from '../../../src/controller/ports.ts';
import { parseSaved } from '../../../src/traffic/ipvs/parse.ts';
import { type IpvsService, type IpvsTarget, planIpvs } from '../../../src/traffic/ipvs/plan.ts';
import { Ipvs } from './ipvs-model.ts';

const TARGET: IpvsTarget = {
  service: '-t 10.0.0.100:9000',
  scheduler: 'fo',
  persistenceS: 0,
  forwarding: 'nat',
  endless: false,
  servers: [
    { node: 'a', server: '10.0.0.11:9000' },
    { node: 'b', server: '10.0.0.12:9000' },
  ],
};

const wish = (change: Partial<DesiredTraffic>): DesiredTraffic => ({
  active: null,
  hold: false,
  dead: [],
  epoch: 1,
  ...change,
});

function found(text: string): IpvsService | null {
  return parseSaved(text).get(TARGET.service) ?? null;
}

const ON_A = found(`-A -t 10.0.0.100:9000 -s fo
-a -t 10.0.0.100:9000 -r 10.0.0.11:9000 -m -w 1
-a -t 10.0.0.100:9000 -r 10.0.0.12:9000 -m -w 0`);

/** Steps without the part that all have in common. */
function plan(target: IpvsTarget, desired: DesiredTraffic, actual: IpvsService | null): readonly string[] {
  return planIpvs(target, desired, actual).map((step) =>
    step.replace(target.service, 'SVC').replace('10.0.0.11:9000', 'A').replace('10.0.0.12:9000', 'B'),
  );
}

describe('planIpvs', () => {
  it('builds a service from nothing', () => {
    assert.deepEqual(plan(TARGET, wish({ active: 'a' }), null), [
      '-A SVC -s fo',
      '-a SVC -r A -m -w 1 -x 0 -y 0',
      '-a SVC -r B -m -w 0 -x 0 -y 0',
    ]);
  });

  it('does nothing where all is as desired', () => {
    assert.deepEqual(plan(TARGET, wish({ active: 'a' }), ON_A), []);
  });

  it('with scheduler fo moves the service by its first step', () => {
    assert.deepEqual(plan(TARGET, wish({ active: 'b' }), ON_A), [
      '-e SVC -r B -m -w 2 -x 0 -y 0',
      '-e SVC -r A -m -w 0 -x 0 -y 0',
      '-e SVC -r B -m -w 1 -x 0 -y 0',
    ]);
  });

  it('with another scheduler stops the old server first', () => {
    const onA: IpvsService | null = ON_A === null ? null : { ...ON_A, scheduler: 'rr' };
    assert.deepEqual(plan({ ...TARGET, scheduler: 'rr' }, wish({ active: 'b' }), onA), [
      '-e SVC -r A -m -w 0 -x 0 -y 0',
      '-e SVC -r B -m -w 1 -x 0 -y 0',
    ]);
  });

  it('removes a dead server, so that its connections do not linger, and adds it again when it is back', () => {
    assert.deepEqual(plan(TARGET, wish({ dead: ['a'] }), ON_A), ['-d SVC -r A']);
    assert.deepEqual(plan(TARGET, wish({ active: 'b', dead: ['a'] }), ON_A), [
      '-e SVC -r B -m -w 2 -x 0 -y 0',
      '-d SVC -r A',
      '-e SVC -r B -m -w 1 -x 0 -y 0',
    ]);
    const onlyB = found('-A -t 10.0.0.100:9000 -s fo\n-a -t 10.0.0.100:9000 -r 10.0.0.12:9000 -m -w 1');
    assert.deepEqual(plan(TARGET, wish({ active: 'b' }), onlyB), ['-a SVC -r A -m -w 0 -x 0 -y 0']);
  });

  it('takes out whoever is not active where clients would stay with weight 0 for ever', () => {
    const endless = { ...TARGET, endless: true };
    assert.deepEqual(plan(endless, wish({ active: 'a' }), null), ['-A SVC -s fo', '-a SVC -r A -m -w 1 -x 0 -y 0']);
    const onA = found('-A -t 10.0.0.100:9000 -s fo\n-a -t 10.0.0.100:9000 -r 10.0.0.11:9000 -m -w 1');
    assert.deepEqual(plan(endless, wish({ hold: true }), onA), ['-a SVC -r B -m -w 0 -x 0 -y 0']);
    assert.deepEqual(plan(endless, wish({ active: 'b' }), onA), [
      '-a SVC -r B -m -w 2 -x 0 -y 0',
      '-d SVC -r A',
      '-e SVC -r B -m -w 1 -x 0 -y 0',
    ]);
    assert.deepEqual(plan(endless, wish({}), onA), ['-d SVC -r A']);
  });

  it('serves from nobody if nobody is active, even a dead node that somebody wants', () => {
    assert.deepEqual(plan(TARGET, wish({}), ON_A), ['-e SVC -r A -m -w 0 -x 0 -y 0']);
    assert.deepEqual(plan(TARGET, wish({ active: 'a', dead: ['a'] }), ON_A), ['-d SVC -r A']);
  });

  it('leaves the weights alone while connections are held, unless two servers have one', () => {
    assert.deepEqual(plan(TARGET, wish({ hold: true }), ON_A), []);
    const both = found(`-A -t 10.0.0.100:9000 -s fo
-a -t 10.0.0.100:9000 -r 10.0.0.11:9000 -m -w 1
-a -t 10.0.0.100:9000 -r 10.0.0.12:9000 -m -w 3`);
    assert.deepEqual(plan(TARGET, wish({ hold: true }), both), [
      '-e SVC -r A -m -w 0 -x 0 -y 0',
      '-e SVC -r B -m -w 0 -x 0 -y 0',
    ]);
  });

  it('repairs what somebody changed by hand', () => {
    const changed = found(`-A -t 10.0.0.100:9000 -s wlc -p 300 -o
-a -t 10.0.0.100:9000 -r 10.0.0.11:9000 -g -w 1
-a -t 10.0.0.100:9000 -r 10.0.0.12:9000 -m -w 0
-a -t 10.0.0.100:9000 -r 10.0.0.66:9000 -m -w 5`);
    assert.deepEqual(plan(TARGET, wish({ active: 'a' }), changed), [
      '-E SVC -s fo',
      '-e SVC -r A -m -w 6 -x 0 -y 0',
      '-d SVC -r 10.0.0.66:9000',
      '-e SVC -r A -m -w 1 -x 0 -y 0',
    ]);
  });

  it('names persistence, and the flag of each way of forwarding', () => {
    const flags = (['nat', 'dr', 'tun'] as const).map((forwarding) =>
      plan({ ...TARGET, forwarding, persistenceS: 60 }, wish({}), null),
    );
    assert.deepEqual(
      flags.map(([, first]) => first),
      ['-m', '-g', '-i'].map((flag) => `-a SVC -r A ${flag} -w 0 -x 0 -y 0`),
    );
    assert.equal(flags[0]?.[0], '-A SVC -s fo -p 60');
  });
});

describe('any plan', () => {
  const nodes = ['a', 'b'] as const;
  const anyWish = fc.record({
    active: fc.constantFrom(null, ...nodes),
    hold: fc.boolean(),
    dead: fc.subarray([...nodes]),
    epoch: fc.constant(1),
  });
  const anyServer = fc.record({
    server: fc.constantFrom('10.0.0.11:9000', '10.0.0.12:9000', '10.0.0.66:9000'),
    forwarding: fc.constantFrom('nat', 'dr', 'tun'),
    weight: fc.nat(3),
  });
  const anyService = fc.option(
    fc.record({
      scheduler: fc.constantFrom('fo', 'rr'),
      persistenceS: fc.constantFrom(0, 60),
      otherOptions: fc.constantFrom('', '-o'),
      servers: fc.uniqueArray(anyServer, { selector: ({ server }) => server, maxLength: 3 }),
    }),
  );

  it('reaches what is desired, in one go, and serves from no two nodes nor from a dead one', () => {
    fc.assert(
      fc.property(
        anyWish,
        anyService,
        fc.constantFrom('fo', 'rr'),
        fc.boolean(),
        (desired, actual, scheduler, endless) => {
          const target: IpvsTarget = { ...TARGET, scheduler, endless };
          const kernel = new Ipvs();
          if (actual !== null) kernel.services.set(target.service, actual);
          let positive = kernel.positive(target.service).length;
          for (const step of planIpvs(target, desired, actual)) {
            kernel.execute(step.split(' '));
            const now = kernel.positive(target.service).length;
            if (scheduler === 'rr') assert.ok(now <= Math.max(1, positive), `${now} servers after ${step}`);
            positive = now;
          }
          assert.deepEqual(planIpvs(target, desired, kernel.services.get(target.service) ?? null), []);
          const wanted = desired.active !== null && !desired.dead.includes(desired.active) ? desired.active : null;
          if (wanted !== null || !desired.hold) {
            const server = target.servers.find(({ node }) => node === wanted)?.server;
            assert.deepEqual(kernel.positive(target.service), server === undefined ? [] : [server]);
          }
          assert.ok(positive <= 1);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
