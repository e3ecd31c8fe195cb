import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DesiredTraffic } from '../../../src/controller/ports.ts';
import { parseProcessLimit, parseServers, parseStat } from '../../../src/traffic/haproxy/parse.ts';
import { type HaproxyActual, planHaproxy } from '../../../src/traffic/haproxy/plan.ts';

const TARGET = {
  backend: 'world',
  frontend: 'entry',
  servers: [
    { node: 'a', server: 'one' },
    { node: 'b', server: 'two' },
  ],
};
type Mode = 'ready' | 'drain' | 'maint';
const actual = (
  one: Mode,
  two: Mode,
  more: { limit?: number; connections?: number; down?: string } = {},
): HaproxyActual => {
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
    frontendLimit: more.limit ?? 100,
  };
};
const plan = (desired: Partial<DesiredTraffic>, now: HaproxyActual): readonly string[] =>
  planHaproxy(TARGET, { active: null, hold: false, dead: [], epoch: 1, ...desired }, now, 100);

describe('planHaproxy', () => {
  for (const [what, desired, now, steps] of [
    ['from nothing', { active: 'a' }, actual('maint', 'maint'), ['set server world/one state ready']],
    ['all done', { active: 'a' }, actual('ready', 'maint'), []],
    [
      'a planned change begins: the door first',
      { hold: true },
      actual('ready', 'maint', { connections: 3 }),
      ['set maxconn frontend entry 0', 'set server world/one state drain', 'set server world/two state drain'],
    ],
    [
      'and ends: the door last',
      { active: 'b' },
      actual('drain', 'drain', { limit: 0, connections: 3 }),
      [
        'set server world/one state maint',
        'shutdown sessions server world/one',
        'set server world/two state ready',
        'set maxconn frontend entry 100',
      ],
    ],
    [
      'the master is dead',
      { hold: true, dead: ['a'] },
      actual('ready', 'maint', { connections: 3 }),
      [
        'set maxconn frontend entry 0',
        'set server world/one state maint',
        'shutdown sessions server world/one',
        'set server world/two state drain',
      ],
    ],
    ['nobody', {}, actual('ready', 'maint'), ['set server world/one state maint']],
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

  it('leaves out the door where there is none', () => {
    const now = { ...actual('ready', 'maint'), frontendLimit: null };
    const desired = { active: null, hold: true, dead: [], epoch: 1 };
    assert.deepEqual(planHaproxy({ ...TARGET, frontend: null }, desired, now, 0), [
      'set server world/one state drain',
      'set server world/two state drain',
    ]);
  });
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
      [...parseStat('# pxname,svname,scur,slim,\nworld,x,3,,\nworld,y,0,200,\n\n')],
      [
        ['x', { current: 3, limit: 0 }],
        ['y', { current: 0, limit: 200 }],
      ],
    );
    assert.equal(parseProcessLimit('Name: HAProxy\nMaxconn: 180\nHard_maxconn: 1\n'), 180);
  });

  it('that is something else is an error that names it', () => {
    for (const read of [parseServers, parseStat, parseProcessLimit]) {
      assert.throws(() => read("Can't find backend.\n"), { name: 'HsctlError', message: /"Can't find backend\."/ });
    }
  });
});
