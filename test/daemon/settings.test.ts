import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import { agentSettings, groupSettings } from '../../src/daemon/settings.ts';

const TEXT = `
cluster: demo
groups:
  world:
    nodes:
      a: { address: 127.0.0.1, control: 7411, replication: 7412, port: 9001 }
      b: { address: 127.0.0.1, control: 7421, replication: 7422, port: 9002 }
    app: { heartbeat: { interval: 100ms } }
    failover: { finishWork: 3s }
`;

describe('what controller and agents go by', () => {
  it('gives slow requests their time in a planned change, on both sides', () => {
    const group = parseConfig(TEXT, 'settings.test').config.groups[0];
    assert.ok(group);
    assert.deepEqual([groupSettings(group).finishWorkMs, agentSettings(group, 'a').drainMs], [3000, 3000]);
  });
});
