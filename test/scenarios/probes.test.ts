import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import type { ConfigFile } from '../../src/config/schema.ts';
import { GROUP } from '../rig/cluster.ts';
import { onLoopback } from '../rig/loopback.ts';
import { until } from '../rig/until.ts';

/** The check of both nodes: files named by the app's port tell it what to say of the app. */
const CHECK = (folder: string): string[] => [
  'sh',
  '-c',
  `[ ! -e "${folder}/bad-$HSCTL_PORT" ] || { echo "queue is stuck"; exit 2; }
   [ ! -e "${folder}/warn-$HSCTL_PORT" ] || { echo "queue is long | length=9"; exit 1; }
   echo fine`,
];

describe('several probes of a pair', () => {
  it('warn in the status, and have an app replaced that is there but fails one of them', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hsctl-check-'));
    const quick = { interval: '1s', fastInterval: '100ms', timeout: '1s', fall: 2, rise: 1 };
    const check = { type: 'exec', exitCodes: 'nagios', command: CHECK(folder), ...quick };
    const probe = { type: 'all', of: [{ type: 'tcp', from: 'agent', ...quick }, check] };
    try {
      await onLoopback(
        async ({ cluster }) => {
          const master = await cluster.master();
          const file = parse(readFileSync(cluster.configFile, 'utf8')) as ConfigFile;
          const port = file.groups[GROUP]?.nodes[master]?.port;

          writeFileSync(join(folder, `warn-${port}`), '');
          await until('status warns', async () => {
            const { summary, severity } = await cluster.status();
            return severity === 'warning' && summary.includes(`${master}: probe: exec: queue is long`);
          });
          rmSync(join(folder, `warn-${port}`));
          await until('the warning is over', async () => (await cluster.status()).severity === 'ok');

          writeFileSync(join(folder, `bad-${port}`), '');
          await until('the other node serves', async () => {
            const status = await cluster.status();
            return status.serving && status.master !== master;
          });
          const events = await cluster.api.events({ group: GROUP, limit: 100 });
          assert.ok(
            events.some(({ message }) => message.includes('queue is stuck')),
            JSON.stringify(events),
          );
          rmSync(join(folder, `bad-${port}`));
          await cluster.whole();
        },
        { appSettings: { probe } },
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
