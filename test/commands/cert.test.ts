import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { certificatesSchema } from '../../src/model/certificate-answers.ts';
import { CliFixture } from './cli-fixture.ts';

let cli: CliFixture;
let dir: string;
beforeEach(() => {
  cli = new CliFixture();
  dir = join(cli.directory, 'tls');
  cli.configure(`tls: { dir: ${dir} }\n`);
});
afterEach(() => cli.close());

describe('hsctl cert', () => {
  it('makes an authority, certificates for the cluster of the configuration, and new ones for them', async () => {
    for (const [argv, shown] of [
      [['init'], /^FILE +WHOSE +ENDS +LEFT +FINGERPRINT\nca\.pem +.*realm-7 .* \d+d/],
      [['issue', 'controller'], /\ncontroller\.pem +hsctl:\/\/realm-7\/controller .* (364d 23h|365d) /],
      [['issue', 'node', 'a', '--days', '30'], /\na\.pem +hsctl:\/\/realm-7\/node\/a .* (29d 23h|30d) /],
      [['issue', 'operator', 'alice'], /\noperator-alice\.pem +hsctl:\/\/realm-7\/operator\/alice /],
      [['renew', 'a'], /\na\.pem +hsctl:\/\/realm-7\/node\/a .* (364d 23h|365d) /],
    ] as const) {
      const { code, stdout, stderr } = await cli.run(['cert', ...argv]);
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, shown);
    }
    assert.match(
      (await cli.run(['cert', 'list'])).stdout,
      /\nca\.pem[^]*\na\.pem[^]*\ncontroller\.pem[^]*\noperator-alice\.pem/,
    );
    const { certificates } = certificatesSchema.parse(JSON.parse((await cli.run(['cert', 'list', '--json'])).stdout));
    assert.deepEqual(
      certificates.map(({ file, isAuthority }) => [file, isAuthority]),
      [
        ['ca.pem', true],
        ['a.pem', false],
        ['controller.pem', false],
        ['operator-alice.pem', false],
      ],
    );
  });

  it('needs no configuration if it is told directory and cluster', async () => {
    const place = ['--dir', dir, '--cluster', 'other', '--config', '/nowhere'];
    assert.equal((await cli.run(['cert', 'init', ...place])).code, 0);
    assert.match((await cli.run(['cert', 'issue', 'node', 'z', ...place])).stdout, /hsctl:\/\/other\/node\/z/);
  });

  it('names the flags that do instead of a configuration', async () => {
    const instead =
      /^hsctl: \/nowhere: no such file\n {2}name the file with --config, .*; with --dir and --cluster none is needed\n$/;
    for (const argv of [
      ['init'],
      ['init', '--dir', dir],
      ['init', '--cluster', 'x'],
      ['issue', 'controller', '--dir', dir],
    ]) {
      const { code, stderr } = await cli.run(['cert', ...argv, '--config', '/nowhere']);
      assert.equal(code, 2);
      assert.match(stderr, instead);
    }
    assert.match((await cli.run(['cert', 'list', '--config', '/nowhere'])).stderr, /; with --dir none is needed\n$/);
  });

  it("makes certificates for the authority's own cluster only, and names a file that is none", async () => {
    await cli.run(['cert', 'init']);
    const strange = await cli.run(['cert', 'issue', 'node', 'a', '--dir', dir, '--cluster', 'realm-8']);
    assert.match(strange.stderr, /ca\.pem: the authority of cluster realm-7, not of realm-8\n/);
    writeFileSync(join(dir, 'x.pem'), 'garbage');
    const list = await cli.run(['cert', 'list']);
    assert.match(list.stderr, /x\.pem: no certificate can be read: .*\n {2}.*take a file away that is none\n$/);
  });

  it('refuses what makes no sense, and makes nothing', async () => {
    mkdirSync(dir);
    const cases: [argv: string[], code: number, stderr: RegExp][] = [
      [['issue', 'node', 'c'], 2, /^hsctl: the cluster has no node c\n {2}its nodes are: a, b\n$/],
      [['issue', 'node'], 2, /^hsctl: which node\?\n {2}name it: hsctl cert issue node NAME\n$/],
      [['issue', 'controller', 'x'], 2, /^hsctl: the controller has no name\n/],
      [['issue', 'king', 'x'], 2, /^hsctl: .*king/],
      [['issue', 'node', 'a'], 1, /^hsctl: .*there is no authority here\n/],
      [['renew', 'a'], 1, /^hsctl: .*a\.pem: no certificate can be read/],
    ];
    for (const [argv, code, stderr] of cases) {
      const outcome = await cli.run(['cert', ...argv]);
      assert.deepEqual([outcome.code, outcome.stdout], [code, '']);
      assert.match(outcome.stderr, stderr);
    }
    const file = await cli.run(['cert', 'init', '--dir', cli.configPath]);
    assert.match(file.stderr, /hsctl\.yaml: is there and is no directory\n {2}name another directory with --dir\n$/);
    const nowhere = await cli.run(['cert', 'init', '--dir', '/proc/hsctl/tls']);
    assert.equal(nowhere.code, 1);
    assert.match(
      nowhere.stderr,
      /^hsctl: \/proc\/hsctl\/tls: cannot be made: ENOENT.*\n {2}name another directory with --dir\n$/,
    );
    assert.equal((await cli.run(['cert', 'list'])).stdout, 'no certificates\n');
    assert.deepEqual(readdirSync(dir), []);
    cli.configure();
    assert.match((await cli.run(['cert', 'list'])).stderr, /has no tls\.dir\n {2}name the directory with --dir\n$/);
  });
});
