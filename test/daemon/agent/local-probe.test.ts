import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { LocalProbe } from '../../../src/daemon/agent/local-probe.ts';
import { foregroundScheduler } from '../../../src/kit/clock.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import type { ProbeVerdict } from '../../../src/probes/runner.ts';
import { TestServer } from '../../probes/servers.ts';
import { Told, groupWith } from '../probe-group.ts';

const quick = 'interval: 500ms, fastInterval: 20ms, timeout: 500ms, fall: 1, rise: 1';

describe('LocalProbe', () => {
  let server: TestServer;
  before(async () => {
    server = await TestServer.listen((socket) => socket.resume());
  });
  after(() => server.close());

  const portOf = (): number => server.target.port ?? 0;
  const start = (probe: string): { local: LocalProbe; told: Told<ProbeVerdict | null> } => {
    const group = groupWith([portOf(), 1], probe);
    const told = new Told<ProbeVerdict | null>();
    const deps = { scheduler: foregroundScheduler, random: () => 0, logger: silentLogger };
    const [node] = group.nodes;
    assert.ok(node !== undefined);
    return { local: new LocalProbe(group, node, deps, told.add), told };
  };

  it('probes from its start to its stop, and again', async () => {
    const { local, told } = start(`probe: { type: tcp, ${quick} }`);
    for (let reign = 0; reign < 2; reign += 1) {
      local.start();
      await told.until((verdict) => verdict?.verdict === 'up');
      local.stop();
      assert.equal(told.all.at(-1), null);
    }
    assert.equal(told.all.length, 4);
  });

  it('goes on through a reload that says the same, and judges anew after one that does not', async () => {
    const { local, told } = start(`probe: { type: tcp, ${quick} }`);
    local.start();
    await told.until((verdict) => verdict?.verdict === 'up');
    local.reconfigure(groupWith([portOf(), 1], `probe: { type: tcp, ${quick} }, stopTimeout: 1s`));
    assert.equal(told.all.length, 1);
    local.reconfigure(groupWith([portOf(), 1], `probe: { type: file, path: /nonexistent/file, ${quick} }`));
    assert.deepEqual(told.all.slice(1), [null]);
    assert.equal((await told.until((verdict) => verdict?.verdict === 'down'))?.detail, 'no such file');
    local.reconfigure(groupWith([portOf(), 1], 'port: 9'));
    assert.equal(told.all.at(-1), null);
    local.reconfigure(groupWith([portOf(), 1], `probe: { type: tcp, ${quick} }`));
    await told.until((verdict) => verdict?.verdict === 'up');
    local.stop();
  });

  it('starts nothing by a reload while it is not wanted', () => {
    const { local, told } = start('port: 9');
    local.reconfigure(groupWith([portOf(), 1], `probe: { type: tcp, ${quick} }`));
    local.stop();
    assert.deepEqual(told.all, []);
  });

  it('keeps what is warned of, until it stops', async () => {
    const warns = `{ type: exec, exitCodes: nagios, command: [sh, -c, "echo full; exit 1"], interval: 2s, fastInterval: 20ms, timeout: 2s, rise: 1 }`;
    const { local, told } = start(`probe: ${warns}`);
    assert.deepEqual(local.warnings, []);
    local.start();
    await told.until((verdict) => verdict?.verdict === 'up');
    assert.deepEqual(local.warnings, ['probe: full']);
    local.stop();
    assert.deepEqual(local.warnings, []);
  });
});
