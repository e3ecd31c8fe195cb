import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ApiServer } from '../../src/api/server.ts';
import { tlsDoor } from '../../src/api/tls-door.ts';
import { systemScheduler } from '../../src/kit/clock.ts';
import { silentLogger } from '../../src/kit/logger.ts';
import { createAuthority, issueCertificate } from '../../src/transport/certificates.ts';
import { Credentials } from '../../src/transport/credentials.ts';
import type { Identity } from '../../src/transport/identity.ts';
import { CliFixture, type Outcome } from './cli-fixture.ts';

const CLUSTER = 'realm-7';

/** `hsctl` as a whole process against a controller that is reached by TLS only. */
describe('hsctl for a controller on another machine', () => {
  const cli = new CliFixture();
  const [dir, otherDir] = ['tls', 'other'].map((name) => join(cli.directory, name)) as [string, string];
  let server: ApiServer;
  let controller = '';

  before(async () => {
    cli.configure(`tls: { dir: ${dir} }\n`);
    const identities: Identity[] = [
      { role: 'controller', cluster: CLUSTER },
      { role: 'operator', cluster: CLUSTER, name: 'alice' },
      { role: 'viewer', cluster: CLUSTER, name: 'bob' },
      { role: 'node', cluster: CLUSTER, name: 'a' },
    ];
    for (const place of [dir, otherDir]) {
      await createAuthority(place, CLUSTER);
      for (const identity of identities) await issueCertificate(place, identity);
    }
    const { server: opened, port } = await open(dir, 'controller');
    server = opened;
    controller = `127.0.0.1:${port}`;
  });
  after(async () => {
    await server.close();
    await cli.close();
  });

  async function open(place: string, name: string): Promise<{ server: ApiServer; port: number }> {
    const port = await freePort();
    const door = tlsDoor({
      endpoint: { host: '127.0.0.1', port },
      cluster: CLUSTER,
      credentials: new Credentials(place, name),
      clock: systemScheduler,
      logger: silentLogger,
    });
    const opened = new ApiServer({ service: cli.service, doors: [door], logger: silentLogger, version: 'test' });
    await opened.open();
    return { server: opened, port };
  }

  function as(name: string, argv: readonly string[], place = dir): Promise<Outcome> {
    return cli.run([...argv, '--controller', controller, '--cert', join(place, `${name}.pem`)]);
  }

  it('serves an operator, who is known by the certificate, whatever the user claims', async () => {
    const status = await as('operator-alice', ['status']);
    assert.deepEqual([status.code, status.stderr], [0, '']);
    assert.match(status.stdout, /world/);
    const drained = await cli.run(['drain', 'world', 'b'], {
      HSCTL_CONTROLLER: controller,
      HSCTL_CERT: join(dir, 'operator-alice.pem'),
      HSCTL_KEY: join(dir, 'operator-alice.key'),
      HSCTL_CA: join(dir, 'ca.pem'),
      SUDO_USER: 'the-king',
    });
    assert.deepEqual([drained.code, drained.stderr], [0, 'b takes no new work\n']);
    assert.equal(Reflect.get(cli.service.calls.at(-1)?.request ?? {}, 'operator'), 'alice (certificate)');
  });

  it('lets a viewer and a node look, and says why they may not change anything', async () => {
    for (const [name, who] of [
      ['viewer-bob', 'bob'],
      ['a', 'a'],
    ] as const) {
      assert.equal((await as(name, ['status'])).code, 0);
      const calls = cli.service.calls.length;
      const { code, stderr } = await as(name, ['promote', 'world', 'b']);
      assert.deepEqual(
        [code, stderr],
        [
          1,
          `hsctl: ${who} (certificate) may look, but not change anything\n` +
            '  the certificate has to be that of an operator: hsctl cert issue operator NAME\n',
        ],
      );
      assert.equal(cli.service.calls.length, calls);
      const noted = cli.service.audits.at(-1);
      assert.deepEqual([noted?.operator, noted?.action, noted?.refused], [`${who} (certificate)`, 'promote', true]);
    }
  });

  it('says so where the controller does not take the certificate', async () => {
    const { code, stderr } = await cli.run([
      'status',
      `--controller=${controller}`,
      `--ca=${join(dir, 'ca.pem')}`,
      `--cert=${join(otherDir, 'operator-alice.pem')}`,
      `--key=${join(otherDir, 'operator-alice.key')}`,
    ]);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /refused: its certificate is not valid: .*\n {2}is it of this cluster, and not expired/);
  });

  it('talks to nobody but the controller of its cluster', async () => {
    const strange = await as('operator-alice', ['status'], otherDir);
    assert.equal(strange.code, 3, strange.stderr);
    assert.match(strange.stderr, /self.signed|unable to/);
    const node = await open(dir, 'a');
    const taken = await cli.run([
      'status',
      `--controller=127.0.0.1:${node.port}`,
      `--cert=${join(dir, 'operator-alice.pem')}`,
    ]);
    await node.server.close();
    assert.equal(taken.code, 3);
    assert.match(taken.stderr, /its certificate is for hsctl:\/\/realm-7\/node\/a/);
  });

  it('finds the certificate of who runs it beside those of the configuration', async () => {
    const { username } = userInfo();
    const missing = await cli.run(['status', '--controller', controller]);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /no certificate of yours: there is no .*operator-.*\.pem and no .*viewer-.*\.pem/);
    for (const ending of ['pem', 'key']) {
      copyFileSync(join(dir, `viewer-bob.${ending}`), join(dir, `viewer-${username}.${ending}`));
    }
    assert.equal((await cli.run(['status', '--controller', controller])).code, 0);
  });

  it('tells what is wrong with what it was given', async () => {
    mkdirSync(join(cli.directory, 'empty'));
    const cases: [argv: string[], code: number, stderr: RegExp][] = [
      [['--controller', 'nowhere'], 2, /--controller nowhere: not an endpoint/],
      [['--controller', controller, '--cert', join(cli.directory, 'empty', 'x.pem')], 2, /x\.pem: cannot be read/],
      [
        ['--controller', controller, '--cert', join(dir, 'operator-alice.pem'), '--key', join(dir, 'a.key')],
        2,
        /operator-alice\.pem: does not go with .*a\.key/,
      ],
      [
        ['--controller', '127.0.0.1:1', '--cert', join(dir, 'operator-alice.pem')],
        3,
        /nobody listens on 127\.0\.0\.1:1/,
      ],
    ];
    for (const [argv, code, stderr] of cases) {
      const outcome = await cli.run(['status', ...argv]);
      assert.equal(outcome.code, code, outcome.stderr);
      assert.match(outcome.stderr, stderr);
    }
  });
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', () => resolve()));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
