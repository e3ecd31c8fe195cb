import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CliFixture } from './cli-fixture.ts';

let cli: CliFixture;
beforeEach(() => {
  cli = new CliFixture();
});
afterEach(() => cli.close());

describe('hsctl, used wrongly', () => {
  const cases: [argv: string[], stderr: RegExp][] = [
    [['stauts'], /^hsctl: there is no command "stauts"\n {2}did you mean "hsctl status"\?\n$/],
    [['config', 'shwo'], /^hsctl: there is no command "config shwo"\n {2}did you mean "hsctl config show"\?\n$/],
    [['quux'], /^hsctl: there is no command "quux"\n {2}"hsctl --help" lists them all\n$/],
    [['--json', 'status'], /^hsctl: there is no command "--json"\n {2}flags stand behind the command: .*\n$/],
    [['status', '--jsn'], /^hsctl: there is no flag --jsn\n {2}see "hsctl status --help"\n$/],
    [['status', '-x'], /^hsctl: there is no flag -x\n/],
    [['status', '--constructor'], /^hsctl: there is no flag --constructor\n/],
    [['status', '--json=yes'], /^hsctl: --json takes no value\n/],
    [['status', '--no-json'], /^hsctl: there is no flag --no-json\n/],
    [['status', '-w', '--check'], /^hsctl: --watch and --check cannot stand together\n/],
    [['pause', '--for', '1m', '--for=2m'], /^hsctl: --for is there twice, and can be given once\n/],
    [['pause', '--for', '--json'], /^hsctl: flag --for expects a value\n/],
    [
      ['init', '--profile', 'quick'],
      /^hsctl: --profile: "quick" is none of fast, balanced, wan\n {2}see "hsctl init --help"\n$/,
    ],
    [['status', 'a', 'b'], /^hsctl: unexpected argument: b\n {2}see "hsctl status --help"\n$/],
    [['pause', '--for', '5'], /^hsctl: --for: "5" is not a duration\n {2}write whole numbers with units/],
    [['pause', '--for'], /^hsctl: flag --for expects a value\n {2}see "hsctl pause --help"\n$/],
    [
      ['events', '-n', '0'],
      /^hsctl: --lines: "0" is not a whole number from 1 to 1000\n {2}see "hsctl events --help"\n$/,
    ],
    [['agent'], /^hsctl: GROUP is missing: the group.*\n {2}see "hsctl agent --help"\n$/],
    [['agent', 'world'], /^hsctl: which node of world\?\n {2}name it: hsctl agent GROUP NODE\n$/],
    [['agent', 'world:a', 'b'], /^hsctl: b: there is a node already, a\n$/],
    [['agent', 'world:z'], /^hsctl: group world has no node z\n {2}it has: a, b\n$/],
    [['config', 'check', '--config='], /^hsctl: "": no such file\n {2}name the file with --config, /],
    [['completion'], /^hsctl: SHELL is missing: the shell.*\n {2}see "hsctl completion --help"\n$/],
    [['completion', 'tcsh'], /^hsctl: SHELL: "tcsh" is none of bash, .*\n {2}see "hsctl completion --help"\n$/],
  ];
  for (const [argv, message] of cases) {
    it(`says so: hsctl ${argv.join(' ')}`, async () => {
      const { code, stdout, stderr } = await cli.run(argv);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, message);
    });
  }
});

describe('hsctl in a script', () => {
  it('leaves standard input to others: it takes no argument from there', async () => {
    await cli.open();
    const { stdout } = await cli.shell('echo mars | { "$NODE" "$HSCTL" status --check; cat; }');
    assert.match(stdout, /^HSCTL OK - .*\nmars\n$/);
  });

  it('takes flags in every form that people write', async () => {
    await cli.open();
    cli.service.emit('first');
    cli.service.emit('second');
    for (const words of [['-n1', '--json'], ['-n=1'], ['-n', '1'], ['--lines=1'], ['--lines', '1', '--', 'world']]) {
      const { code, stdout } = await cli.run(['events', ...words]);
      assert.deepEqual([code, stdout.trimEnd().split('\n').length], [0, 1], words.join(' '));
    }
    const variable = await cli.run(['status'], { HSCTL_CONTROLLER: 'nowhere' });
    assert.match(variable.stderr, /^hsctl: --controller nowhere: not an endpoint\n/);
    const { stderr } = await cli.run(['config', 'check', '-c', '-'], { HSCTL_CONFIG: '/nowhere' });
    assert.match(stderr, /^hsctl: -: no such file\n/);
  });
});

describe('hsctl without a reader', () => {
  it('ends when nobody reads on, and fails in words when the disk is full', async () => {
    await cli.open();
    const script =
      '"$NODE" "$HSCTL" status --watch | head -1 >&2; echo "${PIPESTATUS[0]}" >&2; "$NODE" "$HSCTL" status >/dev/full; exit "$?"';
    const { code, stderr } = await cli.shell(script);
    assert.equal(code, 1);
    assert.match(stderr, /^[A-Z]+ .*\n0\nhsctl: the output cannot be written: ENOSPC.*\n {2}.*\n$/);
  });

  it('calls a refusal of the system by its name, and leaves no empty file on a full disk', async () => {
    const limited = (command: string): string => `trap "" XFSZ; ulimit -f 0; exec "$NODE" "$HSCTL" ${command}`;
    const file = join(cli.directory, 'new.yaml');
    const pair = '--address a=192.0.2.1 --address b=192.0.2.2 --port 9000 --virtual 192.0.2.9';
    const init = await cli.shell(limited(`init ${pair} -o "${file}"`));
    assert.deepEqual([init.code, existsSync(file)], [1, false]);
    assert.match(init.stderr, /^hsctl: .*new\.yaml: EFBIG/);
    writeFileSync(file, 'mine\n');
    const replaced = await cli.shell(limited(`init ${pair} -o "${file}" --force`));
    assert.match(replaced.stderr, /^hsctl: .*new\.yaml: EFBIG/);
    assert.equal(readFileSync(file, 'utf8'), 'mine\n');
    assert.deepEqual(
      readdirSync(cli.directory).filter((name) => name.startsWith('new.yaml')),
      ['new.yaml'],
    );
    const nowhere = await cli.shell(`"$NODE" "$HSCTL" init ${pair} -o /proc/hsctl/new.yaml`);
    assert.match(nowhere.stderr, /^hsctl: \/proc\/hsctl\/new\.yaml: ENOENT.*\n {2}name a place that can be written\n$/);
    const pipe = await cli.shell(`mkfifo "${file}.pipe"; "$NODE" "$HSCTL" init ${pair} -o "${file}.pipe" --force`);
    assert.match(pipe.stderr, /^hsctl: .*\.pipe: is there and is no file\n {2}name a place that can be written\n$/);
    const certificate = await cli.shell(limited(`cert init --cluster realm --dir "${cli.directory}/tls"`));
    assert.equal(certificate.code, 1);
    assert.match(certificate.stderr, /^hsctl: EFBIG.*\n {2}the system refused that; mend it and try again\n$/);
  });

  it('looks for nothing in a HOME that it may not read', async () => {
    await cli.open();
    const home = join(cli.directory, 'home');
    mkdirSync(join(home, '.local', 'share', 'hsctl', 'package.json'), { recursive: true });
    const { stderr } = await cli.run(['status'], { HOME: home });
    assert.equal(stderr, '');
  });
});

describe('hsctl and signals', () => {
  it('opens no port for debuggers', async () => {
    await cli.open();
    const child = cli.start(['status', '--watch']);
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    await once(child.stdout, 'data');
    child.kill('SIGUSR1');
    for (let more = 0; more < 2; more += 1) await once(child.stdout, 'data');
    const ended = once(child, 'close');
    child.kill('SIGTERM');
    assert.deepEqual([await ended, errors], [[null, 'SIGTERM'], '']);
  });

  it('does not end a daemon that still starts by SIGHUP', async () => {
    const module = new URL('../../src/commands/stop-signal.ts', import.meta.url).href;
    const script = `import { stopSignal } from '${module}'; stopSignal(); process.kill(process.pid, 'SIGHUP'); console.log('alive');`;
    const { stdout } = await cli.shell(`"$NODE" --input-type=module -e "${script}"`);
    assert.equal(stdout, 'alive\n');
  });
});

describe('hsctl --help', () => {
  it('lists every command, and describes each', async () => {
    const overview = (await cli.run([])).stdout;
    assert.equal((await cli.run(['--help'])).stdout, overview);
    const ids = [...overview.matchAll(/^ {2}([a-z]+(?: [a-z]+)?) {2,}[A-Z]/gm)].map(([, id]) => id ?? '');
    assert.ok(ids.includes('status') && ids.includes('config check') && ids.includes('controller'));
    const texts = await Promise.all(ids.map((id) => cli.run([...id.split(' '), '--help'])));
    for (const [index, { code, stdout }] of texts.entries()) {
      assert.equal(code, 0);
      assert.match(stdout, new RegExp(`^USAGE\n  \\$ hsctl ${ids[index]}\\b`));
      assert.match(stdout, /--config=FILE/);
      assert.match(stdout, /\n\nDESCRIPTION\n {2}[A-Z]/);
      assert.doesNotMatch(stdout, /default: \d{4}/, 'a time has a unit');
    }
    assert.match((await cli.run(['help', 'status'])).stdout, /hsctl status/);
    assert.match((await cli.run(['config'])).stdout, /config check[^]*config reload/);
    assert.match((await cli.run(['--version'])).stdout, /^hsctl \d+\.\d+\.\d+\n$/);
  });

  it('has completions for each shell, with names from the configuration', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      assert.match((await cli.run(['completion', shell])).stdout, /promote[^]*allow-data-loss/);
    }
    assert.equal((await cli.run(['completion', 'names'])).stdout, 'world\na\nb\n');
  });
});
