import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { HsctlError } from '../../src/kit/errors.ts';
import {
  eventPageSchema,
  explanationSchema,
  promotionOutcomeSchema,
  promotionSchema,
  reloadSchema,
  actionSchema,
} from '../../src/model/answers.ts';
import { groupEventSchema } from '../../src/model/event.ts';
import { clusterStatusSchema } from '../../src/model/status.ts';
import { clusterOf, groupOf, nodeOf } from '../model/statuses.ts';
import { CliFixture } from './cli-fixture.ts';

const { uid, username } = userInfo();
let cli: CliFixture;
beforeEach(() => {
  cli = new CliFixture();
});
afterEach(() => cli.close());

const json = (text: string): unknown => JSON.parse(text);
const notServing = { serving: false, lease: { holder: null, from: 'none', remainingMs: 0 } } as const;

describe('hsctl status', () => {
  beforeEach(() => cli.open());

  it('says first that all is well, without colours in a pipe', async () => {
    const { code, stdout, stderr } = await cli.run(['status']);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^OK {2}world: a serves, protected by b\n\nworld {2}served by a since/);
    assert.equal(stdout.includes('\x1b'), false);
  });

  it('says first what is wrong, and still exits with 0: it could tell', async () => {
    cli.service.cluster = clusterOf([groupOf(notServing)]);
    const { code, stdout } = await cli.run(['status', 'world'], { FORCE_COLOR: '1' });
    assert.equal(code, 0);
    assert.ok(stdout.startsWith('\x1b[1m\x1b[31mCRITICAL\x1b['));
  });

  it('prints what its schema says', async () => {
    const { stdout } = await cli.run(['status', '--json']);
    assert.deepEqual(clusterStatusSchema.parse(json(stdout)), cli.service.status());
  });

  it('speaks Nagios: a line, and its exit codes', async () => {
    const alone = {
      protectedBy: [],
      inSync: ['a'],
      nodes: [nodeOf('a', { role: 'master', phase: 'ready' }), nodeOf('b', { linked: false, silentMs: 5_000 })],
    };
    for (const [change, code, line] of [
      [{}, 0, 'HSCTL OK - world: a serves, protected by b\n'],
      [alone, 1, 'HSCTL WARNING - world: a is alone, no protection: b silent for 5.0s\n'],
      [notServing, 2, 'HSCTL CRITICAL - world: nobody serves: a has no lease\n'],
    ] as const) {
      cli.service.cluster = clusterOf([groupOf(change)]);
      assert.deepEqual(await cli.run(['status', '--check']), { code, stdout: line, stderr: '' });
    }
    const { code, stdout } = await cli.run(['status', '--check', 'mars']);
    assert.deepEqual([code, stdout], [3, 'HSCTL UNKNOWN - there is no group mars; the groups are: world\n']);
  });

  it('goes on with --watch until it is stopped', async () => {
    const child = cli.start(['status', '--watch', '--json']);
    const lines: string[] = [];
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      lines.push(...chunk.toString().trim().split('\n'));
      if (lines.length === 1) cli.service.cluster = clusterOf([groupOf(notServing)]);
      if (lines.length === 2) child.kill('SIGINT');
    }
    assert.deepEqual(
      lines.map((line) => clusterStatusSchema.parse(json(line)).severity),
      ['ok', 'critical'],
    );
  });

  it('loads nothing that it does not need', async () => {
    const list = join(cli.directory, 'modules');
    const preload = new URL('./module-census.ts', import.meta.url).href;
    const { code } = await cli.run(['status'], { NODE_OPTIONS: `--import=${preload}`, MODULE_CENSUS: list });
    assert.equal(code, 0);
    const modules = readFileSync(list, 'utf8');
    assert.match(modules, /commands\/status\.ts/);
    assert.doesNotMatch(modules, /node_modules\/|node:(http|sqlite|tls)\b|src\/(config|daemon|records)\//);
  });
});

describe('hsctl without a controller', () => {
  it('says why and what to do, without a stack trace, and exits with 3', async () => {
    for (const argv of [['status'], ['promote'], ['events', '--follow'], ['drain', 'b']]) {
      const { code, stdout, stderr } = await cli.run(argv);
      assert.deepEqual([code, stdout], [3, '']);
      assert.match(stderr, /^hsctl: no controller here: .*controller\.sock does not exist\n {2}start it .*\n$/);
    }
  });

  it('shows where it happened if asked to', async () => {
    const { stderr } = await cli.run(['status'], { HSCTL_DEBUG: '1' });
    assert.match(stderr, /\n {4}at .*\.ts:\d+/);
  });

  it('is unknown to Nagios', async () => {
    const { code, stdout } = await cli.run(['status', '--check']);
    assert.equal(code, 3);
    assert.match(stdout, /^HSCTL UNKNOWN - no controller here: .*; start it .*\n$/);
  });
});

describe('hsctl promote', () => {
  beforeEach(() => cli.open());
  const serves = (master: string, change: object = {}) => clusterOf([groupOf({ master, epoch: 8, ...change })]);

  it('waits until the node serves, and tells of the events meanwhile', async () => {
    cli.service.emit('long ago');
    cli.service.cluster = clusterOf([groupOf({ lastEvent: cli.service.log[0] ?? null })]);
    cli.service.onAction = () => {
      cli.service.cluster = serves('b', { stage: 'fencing', ...notServing });
      cli.service.emit('a hands over');
      // The next look at the events finds the change completed.
      const events = cli.service.events.bind(cli.service);
      cli.service.events = (query) => {
        cli.service.cluster = serves('b');
        return events(query);
      };
    };
    const { code, stdout, stderr } = await cli.run(['promote', 'world', 'b'], { SUDO_USER: 'alice' });
    assert.deepEqual([code, stdout], [0, 'b serves world, epoch 8\n']);
    assert.match(stderr, /^world: a -> b\n {2}1\. quiesce: a stops new work\n[^]*a hands over\n$/);
    assert.doesNotMatch(stderr, /long ago/);
    assert.deepEqual(cli.service.calls[0]?.request, {
      group: 'world',
      node: 'b',
      dryRun: false,
      force: false,
      allowDataLoss: false,
      operator: `${username} (uid ${uid}) for alice`,
    });
  });

  it('fails if the group stays with its master', async () => {
    cli.service.onAction = () => {
      cli.service.emit('rolled back: b fell behind');
      cli.service.cluster = clusterOf([groupOf({ lastEvent: cli.service.log[0] ?? null })]);
    };
    const { code, stdout, stderr } = await cli.run(['promote', 'b']);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /hsctl: world stays with a: rolled back: b fell behind\n {2}see "hsctl events world"/);
    const asJson = await cli.run(['promote', '--json']);
    assert.equal(asJson.code, 1);
    assert.equal(promotionOutcomeSchema.parse(json(asJson.stdout)).done, false);
  });

  it('gives up waiting after its time, not the promotion', async () => {
    cli.service.cluster = serves('b', { stage: 'promoting', ...notServing });
    const { code, stderr } = await cli.run(['promote', '--timeout', '1ms']);
    assert.equal(code, 1);
    assert.match(stderr, /waited 1ms in vain: b does not serve world yet\n {2}it may still come/);
  });

  it('does not wait if told so', async () => {
    cli.service.cluster = serves('b', { stage: 'promoting', ...notServing });
    const { code, stdout } = await cli.run(['promote', '--no-wait', '--json', '--force', '--allow-data-loss']);
    assert.equal(code, 0);
    assert.equal(promotionSchema.parse(json(stdout)).started, true);
    assert.deepEqual(
      cli.service.calls.map(({ request }) => ({ ...request, operator: '' })),
      [{ group: 'world', node: null, dryRun: false, force: true, allowDataLoss: true, operator: '' }],
    );
  });

  it('prints the plan of a dry run, and exits as the run would', async () => {
    const allowed = await cli.run(['promote', '--dry-run']);
    assert.deepEqual([allowed.code, allowed.stderr], [0, '']);
    assert.match(allowed.stdout, /2\. promote: b takes epoch 8/);
    cli.service.refusals = ['b is not in sync'];
    const refused = await cli.run(['promote', '--dry-run', '--json']);
    assert.equal(refused.code, 1);
    assert.deepEqual(promotionSchema.parse(json(refused.stdout)).plan.refusals, ['b is not in sync']);
  });

  it('passes a refusal on in one line, with what to do in the next', async () => {
    cli.service.promote = async () => {
      throw new HsctlError('refused', 'b is not in sync', 'wait until it has caught up, or use --allow-data-loss');
    };
    assert.deepEqual(await cli.run(['promote']), {
      code: 1,
      stdout: '',
      stderr: 'hsctl: b is not in sync\n  wait until it has caught up, or use --allow-data-loss\n',
    });
  });
});

describe('hsctl drain', () => {
  beforeEach(() => cli.open());

  it('waits until no client is left', async () => {
    const left = (connections: number) =>
      clusterOf([
        groupOf({ master: 'b', nodes: [nodeOf('a', { drained: true, connections }), nodeOf('b', { role: 'master' })] }),
      ]);
    cli.service.onAction = () => {
      cli.service.cluster = left(2);
      const events = cli.service.events.bind(cli.service);
      cli.service.events = (query) => {
        cli.service.events = (next) => {
          cli.service.cluster = left(0);
          return events(next);
        };
        return events(query);
      };
    };
    const { code, stdout, stderr } = await cli.run(['drain', 'world', 'a', '--wait', '--timeout', '1m']);
    assert.deepEqual([code, stdout], [0, 'a has no more clients\n']);
    assert.match(stderr, /a: 2 connections left/);
    assert.deepEqual(
      { ...cli.service.calls[0]?.request, operator: '' },
      { group: 'world', node: 'a', timeoutMs: 60_000, operator: '' },
    );
  });

  it('wants a node that is there', async () => {
    assert.deepEqual(await cli.run(['drain']), {
      code: 2,
      stdout: '',
      stderr: 'hsctl: which node?\n  name one: hsctl drain GROUP a|b\n',
    });
    assert.match((await cli.run(['undrain', 'world', 'c'])).stderr, /has no node c\n {2}its nodes are: a, b/);
    cli.service.cluster = clusterOf([groupOf(), groupOf({ group: 'lists' })]);
    const { code, stderr } = await cli.run(['drain', 'b']);
    assert.deepEqual([code, stderr], [2, 'hsctl: there is no group b\n  the groups are: world, lists\n']);
    assert.deepEqual(cli.service.calls, []);
  });
});

describe('hsctl with one line to say', () => {
  beforeEach(() => cli.open());

  it('says it, as text and as JSON', async () => {
    for (const [argv, text] of [
      [['drain', 'b'], 'b takes no new work'],
      [['undrain', 'b'], 'b takes work again'],
      [['pause', '--for', '30m'], 'no failover of world until noon'],
      [['resume', 'world'], 'world fails over again'],
    ] as const) {
      const { code, stdout, stderr } = await cli.run(argv);
      assert.deepEqual([code, `${stdout}${stderr}`], [0, `${text}\n`]);
      const asJson = await cli.run([...argv, '--json']);
      assert.deepEqual([asJson.stderr, actionSchema.parse(json(asJson.stdout)).message], ['', text]);
    }
    assert.deepEqual(
      cli.service.calls.map(({ request }) => ('forMs' in request ? request.forMs : null)).filter(Boolean),
      [1_800_000, 1_800_000],
    );
  });

  it('explains, and reloads', async () => {
    const explained = await cli.run(['explain', '--json']);
    assert.deepEqual(explanationSchema.parse(json(explained.stdout)), cli.service.explain('world'));
    assert.match((await cli.run(['explain'])).stdout, /^world: no rule wants to change anything\n\nblocked R30/);
    const reloaded = await cli.run(['config', 'reload', '--json']);
    assert.equal(reloadSchema.parse(json(reloaded.stdout)).applied, true);
    assert.equal(
      (await cli.run(['config', 'reload', '--dry-run'])).stdout,
      'group world: failover.lease 1s -> 2s\napplied\n',
    );
    assert.equal('dryRun' in (cli.service.calls[1]?.request ?? {}), true);
  });

  it('asks which group, where there are several', async () => {
    cli.service.cluster = clusterOf([groupOf(), groupOf({ group: 'lists' })]);
    for (const argv of [['pause'], ['explain'], ['promote']]) {
      const { code, stderr } = await cli.run(argv);
      assert.equal(code, 2);
      assert.match(stderr, /^hsctl: which group\?\n.*world, lists\n$/);
    }
    assert.deepEqual(cli.service.calls, []);
  });
});

describe('hsctl events', () => {
  beforeEach(async () => {
    await cli.open();
    for (let number = 1; number <= 30; number++) cli.service.emit(`event ${number}`);
  });

  it('shows the latest', async () => {
    const { stdout } = await cli.run(['events']);
    assert.equal(stdout.trim().split('\n').length, 20);
    assert.match(stdout, /event 11\n[^]*event 30\n$/);
    const asJson = await cli.run(['events', 'world', '-n', '2', '--json']);
    const events = asJson.stdout.trim().split('\n').map(json);
    assert.deepEqual(eventPageSchema.parse({ apiVersion: 1, events }).events, cli.service.log.slice(-2));
    assert.match((await cli.run(['events', 'lists'])).stderr, /no events yet/);
  });

  it('follows', async () => {
    const child = cli.start(['events', '--follow', '--json', '-n', '1']);
    const seen: string[] = [];
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      for (const line of chunk.toString().trim().split('\n')) seen.push(groupEventSchema.parse(json(line)).message);
      if (seen.length === 1) cli.service.emit('new');
      if (seen.length === 2) child.kill('SIGINT');
    }
    assert.deepEqual(seen, ['event 30', 'new']);
  });
});

describe('hsctl config', () => {
  it('checks the file, and compares it with what the controller runs with', async () => {
    const alone = await cli.run(['config', 'check']);
    assert.deepEqual([alone.code, alone.stdout], [0, `${cli.configPath}: cluster realm-7, 1 group: no errors\n`]);
    await cli.open();
    const compared = await cli.run(['config', 'check']);
    assert.equal(compared.code, 0);
    assert.match(compared.stdout, /the controller runs with another configuration of world; "hsctl config reload"/);
  });

  it('names every error and exits with 2', async () => {
    cli.configure('    failover: { lease: 1, heartbeat: soon }\n');
    const { code, stdout, stderr } = await cli.run(['config', 'check']);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /failover\.lease[^]*failover\.heartbeat/);
  });

  it('shows all values in force, and the schema', async () => {
    assert.match((await cli.run(['config', 'show'])).stdout, /^cluster: realm-7\n[^]*holdDown: /);
    assert.equal(
      (json((await cli.run(['config', 'schema'])).stdout) as { title: string }).title,
      'hsctl configuration',
    );
  });

  it('that is missing is an error of the configuration', async () => {
    const { code, stderr } = await cli.run(['status', '--config', '/nowhere/hsctl.yaml']);
    assert.deepEqual(
      [code, stderr],
      [2, 'hsctl: /nowhere/hsctl.yaml: no such file\n  name the file with --config, or write one with "hsctl init"\n'],
    );
  });
});
