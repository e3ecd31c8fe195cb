import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { noPaint, paintFor, type Paint } from '../../../src/commands/render/paint.ts';
import { renderCheck } from '../../../src/commands/render/severity.ts';
import { renderStatus } from '../../../src/commands/render/status.ts';
import type { ClusterStatus } from '../../../src/model/status.ts';
import { clusterOf, groupOf, nodeOf, NOW_MS } from '../../model/statuses.ts';

process.env['TZ'] = 'UTC';

/** The picture of a status, compared with one that begins and ends with a line break. */
function looksLike(status: ClusterStatus, picture: string, paint: Paint = noPaint): void {
  assert.equal(`\n${renderStatus(status, paint).join('\n')}\n`, picture);
}

const master = nodeOf('a', {
  role: 'master',
  phase: 'ready',
  lag: null,
  connections: 17,
  addresses: ['10.0.0.100/32'],
  warnings: [],
});

describe('status for a person', () => {
  it('of one group that is well', () => {
    looksLike(
      clusterOf([groupOf()]),
      `
OK  world: a serves, protected by b

world  served by a since 2026-03-01 08:48:00 (3h 12m), epoch 7
  lease     a, 812ms left, from the controller
  in sync   a, b
  because   the app of b crashed (R40)
  traffic   ipvs 10.0.0.100:9000 -> a
  traffic   vip 10.0.0.100/32 -> a
  latest    3h 12m ago: a serves (R40)

  NODE  ROLE           APP  PROBE  HEARD     LOG END   LAG   CLIENTS  ADDRESSES
* a     master, ready  up   up     12ms ago  7-184223  -     17       10.0.0.100/32
  b     slave          up   up     12ms ago  7-184223  none

realm-7, controller 0.1.0, up 1d
`,
    );
  });

  it('of a master that is alone while its slave catches up', () => {
    const b = nodeOf('b', {
      inSync: false,
      logEnd: { epoch: 7, seq: 4_000 },
      lag: { records: 180_223, bytes: 900_000_000 },
      catchUp: { doneBytes: 300_000_000, totalBytes: 1_200_000_000, bytesPerSecond: 104_857_600 },
      archives: ['/var/lib/hsctl/world/archive/6-4001.log'],
    });
    looksLike(
      clusterOf([
        groupOf({ protectedBy: [], inSync: ['a'], nodes: [master, b], traffic: [], lastEvent: null, mode: 'manual' }),
      ]),
      `
WARNING  world: a is alone, no protection: b is catching up (25%)

world  served by a since 2026-03-01 08:48:00 (3h 12m), epoch 7
  lease     a, 812ms left, from the controller
  in sync   a
  mode      manual: fails over only by hand
  because   the app of b crashed (R40)

  NODE  ROLE           APP  PROBE  HEARD     LOG END   LAG                                     CLIENTS  ADDRESSES
* a     master, ready  up   up     12ms ago  7-184223  -                                       17       10.0.0.100/32
  b     slave          up   up     12ms ago  7-4000    25% of 1.1 GiB at 100 MiB/s, 8.6s left
  b keeps a cut tail in /var/lib/hsctl/world/archive/6-4001.log

realm-7, controller 0.1.0, up 1d
`,
    );
  });

  it('of a failover under way, with everything that can be wrong with a node', () => {
    const a = nodeOf('a', {
      role: 'diverged',
      app: 'down',
      appDetail: 'exit code 1',
      health: { verdict: 'down', detail: 'connection refused' },
      linked: false,
      silentMs: 2_310,
      drained: true,
      lag: { records: null, bytes: null },
      trouble: 'the disk is full',
      divergence: { ownEnd: { epoch: 6, seq: 90 }, peerEnd: { epoch: 7, seq: 95 }, forkSeq: 80, acknowledgedFrom: 81 },
    });
    const b = nodeOf('b', {
      role: null,
      app: null,
      health: { verdict: 'unknown', detail: '' },
      linked: false,
      silentMs: null,
      logEnd: null,
      lag: null,
    });
    looksLike(
      clusterOf([
        groupOf({
          stage: 'fencing',
          master: 'b',
          serving: false,
          servingSinceWallMs: null,
          protectedBy: [],
          inSync: [],
          lease: { holder: null, from: 'none', remainingMs: 0 },
          pausedUntilWallMs: NOW_MS + 60_000,
          nodes: [a, b],
          traffic: [{ name: 'proxy', active: null, detail: '3 connections held', settled: false }],
        }),
      ]),
      `
CRITICAL  world: b is to take over, the former master is being fenced; paused for 1m more: no failover; a silent for 2.3s; a is drained; traffic proxy: 3 connections held

world  b is master and does not serve, epoch 7
  stage     fencing
  lease     nobody holds one
  in sync   none recorded
  paused    until 2026-03-01 12:01:00
  because   the app of b crashed (R40)
  traffic   proxy -> nobody (3 connections held)
  latest    3h 12m ago: a serves (R40)

  NODE  ROLE      APP   PROBE  HEARD           LOG END   LAG
  a     diverged  down  down   2.3s ago, lost  7-184223  -
* b     -         -     -      never           -         -
  a: the disk is full
  app of a: exit code 1
  probe of a: connection refused
  a is drained; "hsctl undrain" ends that
  a may not join: its log ends at 6-90, that of the master at 7-95; they part after seq 80, and it acknowledged from seq 81

realm-7, controller 0.1.0, up 1d
`,
    );
  });

  it('of many groups in a table', () => {
    const bad = groupOf({
      group: 'lists',
      serving: false,
      servingSinceWallMs: null,
      protectedBy: ['b'],
      lease: { holder: null, from: 'none', remainingMs: 0 },
    });
    looksLike(
      clusterOf([groupOf(), bad]),
      `
CRITICAL  lists: nobody serves: a has no lease

GROUP  STATE     MASTER  FOR     EPOCH  IN SYNC  WHY
world  ok        a       3h 12m  7      a, b
lists  critical  a       -       7      a, b     nobody serves: a has no lease

realm-7, controller 0.1.0, up 1d
`,
    );
  });

  it('of what the agents know without a controller', () => {
    const group = groupOf({ traffic: [], lastEvent: null, reason: '', inSync: [], servingSinceWallMs: null });
    const lines = renderStatus(clusterOf([group], { source: 'agents', controller: null }), noPaint);
    assert.equal(
      lines[0],
      'WARNING  the controller does not answer, so nothing fails over; world: a serves, protected by b',
    );
    assert.equal(lines.at(-1), 'realm-7, as the agents on this machine know it');
  });

  it('is the same text in colours', () => {
    const paint = paintFor({ isTTY: true }, {});
    const status = clusterOf([groupOf({ serving: false })]);
    const painted = renderStatus(status, paint).join('\n');
    assert.ok(painted.startsWith('\x1b[1m\x1b[31mCRITICAL\x1b['));
    assert.equal(stripVTControlCharacters(painted), renderStatus(status, noPaint).join('\n'));
  });
});

describe('colours', () => {
  it('are for terminals, unless the environment says otherwise', () => {
    const isPlain = (stream: { isTTY?: boolean }, environment: NodeJS.ProcessEnv): boolean =>
      paintFor(stream, environment)('bad', 'x') === 'x';
    assert.equal(isPlain({ isTTY: true }, {}), false);
    assert.equal(isPlain({}, {}), true);
    assert.equal(isPlain({ isTTY: true }, { NO_COLOR: '1' }), true);
    assert.equal(isPlain({ isTTY: true }, { NO_COLOR: '' }), false);
    assert.equal(isPlain({ isTTY: true }, { TERM: 'dumb' }), true);
    assert.equal(isPlain({}, { FORCE_COLOR: '1' }), false);
    assert.equal(isPlain({ isTTY: true }, { FORCE_COLOR: '0' }), true);
  });
});

describe('status for Nagios', () => {
  it('is one line without a bar', () => {
    assert.equal(renderCheck({ severity: 'critical', summary: 'a | b\nc' }), 'HSCTL CRITICAL - a / b c');
  });
});
