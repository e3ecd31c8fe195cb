import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'node:test';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { loadConfig, parseConfig } from '../../src/config/load.ts';
import { HsctlError } from '../../src/kit/errors.ts';

const example = fileURLToPath(new URL('../../scripts/example.yaml', import.meta.url));

function refusal(run: () => unknown): HsctlError {
  try {
    run();
  } catch (thrown) {
    assert.ok(thrown instanceof HsctlError, String(thrown));
    assert.equal(thrown.code, 'config');
    return thrown;
  }
  assert.fail('was accepted');
}

describe('loadConfig', () => {
  let folder = '';
  before(() => (folder = mkdtempSync(join(tmpdir(), 'hsctl-config-'))));
  after(() => rmSync(folder, { recursive: true }));

  it('loads the example without a warning', () => {
    const { config, warnings } = loadConfig(example);
    assert.deepEqual(warnings, []);
    assert.equal(config.cluster, 'realm-7');
    const [group] = config.groups;
    assert.equal(group?.failover.leaseMs, 1000);
    assert.deepEqual(group?.nodes[1], {
      id: 'b',
      address: '10.0.0.12',
      control: 7401,
      replication: 7402,
      appPort: 9000,
      socket: '/run/hsctl/world.sock',
      listen: { host: '127.0.0.1', port: 6379 },
      store: '/var/lib/hsctl/world',
      fence: [],
      watchdog: null,
    });
  });

  it('loads the example with its comments taken away, to the same values', () => {
    const text = readFileSync(example, 'utf8');
    // Optional keys are shown commented out with their defaults; alternatives begin with "- {" or "probe:".
    const filled = text.replaceAll(/^( +)# (?!- \{|probe:)(\w+: )/gm, '$1$2');
    assert.notEqual(filled, text);
    assert.deepEqual(parseConfig(filled, 'filled').config, loadConfig(example).config);
  });

  it('names a file that is not there', () => {
    const path = join(folder, 'absent.yaml');
    const error = refusal(() => loadConfig(path));
    assert.equal(error.message, `${path}: no such file`);
    assert.match(error.hint, /--config/);
  });

  it('refuses a directory', () => {
    assert.equal(refusal(() => loadConfig(folder)).message, `${folder}: not a file`);
  });

  it('says why a file cannot be read', () => {
    const path = join(folder, 'file');
    writeFileSync(path, 'x');
    assert.match(refusal(() => loadConfig(join(path, 'below'))).message, /cannot be read: ENOTDIR/);
  });

  for (const [what, bytes] of [
    ['binary', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 3)],
    ['Latin 1', Uint8Array.of(0x63, 0x3a, 0x20, 0xfc)],
  ] as const) {
    it(`refuses a ${what} file`, () => {
      const path = join(folder, 'bytes.yaml');
      writeFileSync(path, bytes);
      assert.equal(refusal(() => loadConfig(path)).message, `${path}: not text in UTF-8`);
    });
  }

  it('does not read a huge file', () => {
    const path = join(folder, 'huge.yaml');
    writeFileSync(path, '');
    truncateSync(path, 2 ** 40);
    assert.equal(refusal(() => loadConfig(path)).message, `${path}: ${2 ** 40} bytes long, not a configuration`);
  });

  it('survives nesting that no parser does', () => {
    for (const nest of ['[', '{', '- ', '? ', 'a: ', '[a, ']) {
      const { message } = refusal(() => parseConfig(`cluster:\n  ${nest.repeat(1_000_000)}`, 'f'));
      assert.match(message, /^f:2:\d{2,3}: nested too deeply; nest sections as in the manual$/, nest);
    }
    const indented = Array.from({ length: 2_000 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('');
    assert.match(refusal(() => parseConfig(indented, 'f')).message, /^f:\d+:\d+: .*nested too deeply; nest/);
  });

  it('takes brackets and dashes inside texts for what they are', () => {
    const text = readFileSync(example, 'utf8');
    const inside = `${'# [[[ - - -\n'.repeat(200)}x: "${'['.repeat(200)}"\ny: |\n  ${'- '.repeat(200)}\n`;
    assert.match(
      refusal(() => parseConfig(inside + text, 'f')).message,
      /^f:201:1: x: unknown key "x".*\nf:202:1: y: [^\n]*$/,
    );
  });

  it('is not drowned in words, nor in keys of one section', () => {
    const { message } = refusal(() => parseConfig('- 1\n'.repeat(1_000_001), 'f'));
    assert.match(message, /^f:1000001:1: found more than 2000000 words and signs; name /);
    const repeated = refusal(() => parseConfig('a: 1\n'.repeat(100_000), 'f')).message.split('\n');
    assert.ok(repeated.includes('f:2:1: a: found the key "a" a second time; keep one of them'));
    assert.equal(repeated.filter((line) => line.includes('a second time')).length, 10);
  });

  it('shows a bounded number of errors', () => {
    const groups = Array.from({ length: 500 }, (_, number) => `  g${number}: 1`).join('\n');
    const lines = refusal(() => parseConfig(`cluster: c\ngroups:\n${groups}\n`, 'f')).message.split('\n');
    assert.equal(lines.length, 201);
    assert.equal(lines[200], 'f: and 300 more');
  });

  it('gives a configuration that nobody can change', () => {
    const { config } = loadConfig(example);
    const group = config.groups[0] as { name: string };
    assert.throws(() => (group.name = 'other'), TypeError);
    assert.ok(Object.isFrozen(config.groups[0]?.nodes[0]?.listen));
  });

  it('meets any damaged file with a list of problems, never with another error', () => {
    const text = readFileSync(example, 'utf8');
    const damage = fc.record({
      at: fc.nat(text.length),
      cut: fc.nat(40),
      put: fc.oneof(
        fc.string({ maxLength: 8 }),
        fc.constantFrom('\t', ': ', '- ', '{', '[', '&a ', '*a', '<<: ', '\n', '!!', '0x', '|'),
      ),
    });
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (damages) => {
        let damaged = text;
        for (const { at, cut, put } of damages) damaged = damaged.slice(0, at) + put + damaged.slice(at + cut);
        try {
          parseConfig(damaged, 'f');
        } catch (thrown) {
          assert.ok(thrown instanceof HsctlError, String(thrown));
          for (const line of thrown.message.split('\n')) assert.match(line, /^f:\d+:\d+: .+; .+$/);
        }
      }),
      { numRuns: 300 },
    );
  });
});
