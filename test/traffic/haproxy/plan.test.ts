import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DesiredTraffic } from '../../../src/controller/ports.ts';
import { parseConnections, parseServers } from '../../../src/traffic/haproxy/parse.ts';
import { type HaproxyActual, planCuts, planHaproxy } from '../../../src/traffic/haproxy/plan.ts';

const TARGET = {
  backend: 'world',
  servers: [
    { node: 'a', server: 'one' },
    { node: 'b', server: 'two' },
  ],
};
type Mode = 'ready' | 'drain' | 'maint';
const actual = (one: Mode, two: Mode, more: { connections?: number; down?: string } = {}): HaproxyActual => {
  const server = (name: string, mode: Mode) => ({
    mode,
    isDown: more.down === name,
    isInherited: false,
    startsDisabled: true,
    address: '10.0.0.1',
    port: 1,
  });
  return {
    servers: new Map([
      ['one', server('one', one)],
      ['two', server('two', two)],
    ]),
    connections: new Map([['one', more.connections ?? 0]]),
  };
};
const plan = (change: Partial<DesiredTraffic>, now: HaproxyActual): readonly string[] => {
  const desired = { active: null, hold: false, dead: [], epoch: 1, ...change };
  return [...planHaproxy(TARGET, desired, now), ...planCuts(TARGET, desired, now)];
};

describe('planHaproxy', () => {
  for (const [what, desired, now, steps] of [
    ['from nothing', { active: 'a' }, actual('maint', 'maint'), ['set server world/one state ready']],
    ['all done', { active: 'a' }, actual('ready', 'maint'), []],
    [
      'a planned change begins',
      { hold: true },
      actual('ready', 'maint', { connections: 3 }),
      ['set server world/one state drain', 'set server world/two state drain'],
    ],
    [
      'and ends: what stops comes first',
      { active: 'b' },
      actual('drain', 'drain', { connections: 3 }),
      ['set server world/one state maint', 'set server world/two state ready'],
    ],
    [
      'the master is dead',
      { hold: true, dead: ['a'] },
      actual('ready', 'maint', { connections: 3 }),
      ['set server world/one state maint', 'set server world/two state drain', 'shutdown sessions server world/one'],
    ],
    [
      'nobody',
      {},
      actual('ready', 'maint', { connections: 1 }),
      ['set server world/one state maint', 'shutdown sessions server world/one'],
    ],
    [
      'checks hold the master down',
      { active: 'b' },
      actual('maint', 'ready', { down: 'two' }),
      ['set server world/two health up'],
    ],
    ['checks hold the other down', { active: 'b' }, actual('maint', 'ready', { down: 'one' }), []],
  ] as const) {
    it(what, () => assert.deepEqual(plan(desired, now), steps));
  }
});

describe('what the runtime API prints', () => {
  it('is read by the names of its columns', () => {
    const read = parseServers(`1
# be_id be_name srv_name srv_addr srv_op_state srv_admin_state srv_port
3 world x 10.0.0.1 2 0 80
3 world y 10.0.0.2 0 5 80
3 world z fd77::1 2 40 81
`);
    assert.deepEqual(
      [...read].map(([name, { mode, isDown, isInherited, startsDisabled, address, port }]) =>
        [name, mode, isDown, isInherited, startsDisabled, address, port].join(' '),
      ),
      [
        'x ready false false false 10.0.0.1 80',
        'y maint true false true 10.0.0.2 80',
        'z drain false true false fd77::1 81',
      ],
    );
    assert.deepEqual(
      [...parseConnections('# pxname,svname,scur,slim,\nworld,x,3,,\nworld,y,0,200,\n\n')],
      [
        ['x', 3],
        ['y', 0],
      ],
    );
  });

  it('that is something else is an error that names it', () => {
    for (const read of [parseServers, parseConnections]) {
      assert.throws(() => read("Can't find backend.\n"), { name: 'HsctlError', message: /"Can't find backend\."/ });
    }
  });
});
