import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Cluster, GROUP, otherThan } from '../rig/cluster.ts';
import { onLoopback } from '../rig/loopback.ts';
import { until } from '../rig/until.ts';

/** The power switches of the nodes: a program that the configuration names, and whether it works. */
class PowerSwitch {
  readonly dir = mkdtempSync(join(tmpdir(), 'hsctl-power-'));
  readonly program = join(this.dir, 'switch');
  readonly #works = join(this.dir, 'works');

  constructor() {
    writeFileSync(
      this.program,
      `#!/bin/sh
[ -e ${this.#works} ] || { echo "the switch of $HSCTL_NODE does not answer" >&2; exit 1; }
kill -KILL $(cat ${this.dir}/$HSCTL_NODE.pids)
`,
    );
    chmodSync(this.program, 0o755);
  }

  /** Plugs the machine of a node in: its processes end by the switch. */
  plug(cluster: Cluster, node: 'a' | 'b'): void {
    writeFileSync(join(this.dir, `${node}.pids`), `${cluster.agent(node).pid} ${cluster.app(node).pid}`);
  }

  repair(): void {
    writeFileSync(this.#works, '');
  }

  remove(): void {
    rmSync(this.dir, { recursive: true });
  }
}

async function canTakeOver(cluster: Cluster, node: string): Promise<boolean> {
  const { serving, nodes } = await cluster.status();
  const found = nodes.find(({ id }) => id === node);
  return !serving && found?.linked === true && found.app === 'up';
}

/** If the former master acknowledged anything when it was alone, that is given up: then it follows. */
async function takeBack(cluster: Cluster, master: string): Promise<void> {
  await cluster.restartEnded();
  const { nodes } = await until(
    'the former master to follow, or to have parted',
    async () => {
      const status = await cluster.status();
      return (status.protectedBy.length === 1 || status.nodes.some(({ role }) => role === 'diverged')) && status;
    },
    30_000,
  );
  const parted = nodes.some(({ role }) => role === 'diverged');
  if (parted) await cluster.hsctl('promote', GROUP, master, '--allow-data-loss', '--no-wait');
  await cluster.whole();
}

describe('a master that served alone, without a lease, and then fell silent', () => {
  it('is replaced only once a fence command says that it is off', async () => {
    const power = new PowerSwitch();
    try {
      await onLoopback(
        async ({ cluster, client }) => {
          const master = await cluster.master();
          const slave = otherThan(master);
          await client(master).ask('SET', 'friends:alice', 'bob');
          await cluster.agent(slave).kill();
          await until('the master to be alone on record', async () => {
            const { inSync } = await cluster.status();
            return inSync.length === 1 && inSync[0] === master;
          });
          cluster.agent(master).freeze();
          await cluster.startAgent(slave);
          power.plug(cluster, master);
          await until('the slave to be heard, and the master not', () => canTakeOver(cluster, slave));
          await cluster.hsctl('promote', GROUP, slave, '--allow-data-loss', '--no-wait');

          const blocked = await until('the fence to have failed', async () => {
            const status = await cluster.status();
            return /the switch of . does not answer/.test(status.reason) && status;
          });
          assert.equal(blocked.stage, 'fencing');
          assert.match(blocked.reason, new RegExp(`hsctl fenced ${GROUP} ${master}`));
          const explained = await cluster.hsctl('explain', GROUP);
          assert.match(explained, /the switch of . does not answer/);
          assert.ok(cluster.agent(master).running, 'nobody else serves, as it is still there');

          power.repair();
          const after = await until(
            'the other node to serve',
            async () => {
              const status = await cluster.status();
              return status.serving && status.master === slave && status;
            },
            30_000,
          );
          assert.ok(!cluster.agent(master).running, 'the machine is off');
          assert.ok(after.epoch > blocked.epoch - 1);
          const events = await cluster.api.events({ group: GROUP, limit: 100 });
          const told = events.map(({ kind, message }) => `${kind}: ${message}`).join('\n');
          assert.match(told, /alarm: fencing . failed/);
          assert.match(told, /observation: .: fenced by .*switch/);
          assert.match(told, /decision: .*\n[^]*observation/, 'the wish is on record before');
          assert.equal(await client(slave).ask('GET', 'friends:alice'), 'bob');
          await takeBack(cluster, slave);
        },
        {
          nodeSettings: () => ({ fence: [{ command: [power.program], timeout: '10s' }] }),
          failover: { stallTimeout: '1s' },
        },
      );
    } finally {
      power.remove();
    }
  });

  it('is replaced at the word of an operator, which is refused while it is heard', () =>
    onLoopback(
      async ({ cluster }) => {
        const master = await cluster.master();
        const slave = otherThan(master);
        await cluster.agent(slave).kill();
        await until('the master to be alone on record', async () => (await cluster.status()).inSync.length === 1);
        await assert.rejects(cluster.hsctl('fenced', GROUP, master), /is heard, so it is not off/);
        await cluster.agent(master).kill();
        await cluster.startAgent(slave);
        const promote = (): Promise<string> =>
          cluster.hsctl('promote', GROUP, slave, '--allow-data-loss', '--timeout', '20s');
        await until('the slave to be heard, and the master not', () => canTakeOver(cluster, slave));
        await assert.rejects(promote(), /may still serve alone without a lease; .* hsctl fenced/);
        await cluster.hsctl('fenced', GROUP, master);
        await promote();
        assert.equal(await cluster.master(), slave);
        const events = await cluster.api.events({ group: GROUP, limit: 100 });
        const told = events.map(({ rule, message }) => `${rule}: ${message}`).join('\n');
        assert.match(told, /refused: .*\(uid \d+\): fenced .: . is heard/, 'refusals are events');
        assert.match(told, /\(uid \d+\).*: . is off/);
        await takeBack(cluster, slave);
      },
      { failover: { stallTimeout: '1s' } },
    ));
});
