import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { importKeepalived, type Import } from '../../../src/config/keepalived/import.ts';
import { KEYWORDS } from '../../../src/config/keepalived/keywords.ts';
import { readConfig } from '../../../src/config/read.ts';
import { HsctlError } from '../../../src/kit/errors.ts';
import { CONFIG_IDS, importCase } from './cases.ts';

const DIRECTORY = import.meta.dirname;
const FILES = globSync('*.conf', { cwd: DIRECTORY }).toSorted();
const CASES = FILES.filter((file) => !file.endsWith('.other.conf')).map((file) => file.replace(/\.conf$/, ''));

function imported(text: string, included: Readonly<Record<string, string>> = {}): Import {
  const files = {
    find: (pattern: string) =>
      Object.entries(included).flatMap(([path, content]) => (path === pattern ? [{ path, text: content }] : [])),
  };
  return importKeepalived({
    sources: [{ file: { path: 'k.conf', text }, id: null }],
    files,
    cluster: 'c',
    addresses: {},
  });
}

/** Whether keepalived itself takes the file, on a machine of its own with two interfaces. */
function keepalivedSays(file: string, id: string | null): Promise<{ code: number | string; output: string }> {
  const test = `keepalived --config-test ${id === null ? '' : `-i ${id}`} -f "${join(DIRECTORY, file)}"`;
  const script = `ip link add eth0 type veth peer name eth1 && ip link set eth0 up && ip link set eth1 up && ${test}`;
  return new Promise((resolve) => {
    execFile('unshare', ['--net', 'sh', '-c', script], (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, output: stdout + stderr }),
    );
  });
}

const VRRP =
  'vrrp_instance v {\n  unicast_src_ip 10.0.0.1\n  unicast_peer {\n    10.0.0.2\n  }\n  virtual_ipaddress {\n    10.0.0.3\n  }\n';

describe('import of keepalived.conf', () => {
  it('has twenty configurations to show', () => assert.equal(CASES.length, 20));

  for (const name of CASES) {
    it(`turns ${name} into what it should be`, () => {
      const text = importCase(name);
      assert.equal(text, readFileSync(join(DIRECTORY, `${name}.golden`), 'utf8'));
      if (text.startsWith('cannot be imported')) return;
      const { errors } = readConfig(text);
      const gaps = text.split('\n').filter((line) => line.includes('"FILL IN'));
      assert.deepEqual(
        errors.filter(({ found }) => !found.includes('FILL IN')),
        [],
      );
      assert.equal(errors.length, gaps.length, 'config check points at each gap');
    });
  }

  for (const file of FILES) {
    it(`reads what keepalived reads: ${file}`, async () => {
      for (const id of CONFIG_IDS[file.replace(/\.conf$/, '')] ?? [null]) {
        const { code, output } = await keepalivedSays(file, id);
        assert.equal(code, 0, output);
      }
    });
  }

  it('names file and line of each fault of the syntax, all at once', () => {
    const text =
      'vrrp_instance v {\n  notify_master "/bin/true\n  }\n}\nvirtual_server 10.0.0.1 80 {\n  real_server 10.0.0.2 80 {\n';
    assert.throws(
      () => imported(text),
      (error) => {
        assert.ok(error instanceof HsctlError);
        assert.equal(error.code, 'config');
        assert.deepEqual(error.message.split('\n'), [
          'k.conf:2: a quote that is not closed: notify_master "/bin/true; close it on the same line',
          'k.conf:4: a "}" that closes nothing; remove it, or add its "{"',
          'k.conf:5: the block of "virtual_server" is not closed; add its "}"; or one above it has too many',
          'k.conf:6: the block of "real_server" is not closed; add its "}"; or one above it has too many',
        ]);
        return true;
      },
    );
  });

  it('names each keyword that it does not know, and each that has no counterpart', () => {
    const { remarks } = imported(`${VRRP}  nopreempt\n  use_vmac\n  virtual_ipadress {\n  }\n}\ninclude gone.conf\n`);
    assert.deepEqual(
      remarks.map(({ place, kind, what }) => [place.line, kind, what]),
      [
        [10, 'omitted', 'use_vmac'],
        [11, 'omitted', 'virtual_ipadress'],
        [14, 'omitted', 'include gone.conf'],
      ],
    );
    assert.match(remarks[1]?.instead ?? '', /^did you mean virtual_ipaddress\?/);
  });

  it('reads included files under their own names, and refuses those that include themselves', () => {
    const parts = { 'part.conf': `${VRRP}  nopreempt\n}\n` };
    assert.match(imported('include part.conf\n', parts).config, /# vrrp_instance v, part\.conf:1\n/);
    assert.throws(() => imported('include a.conf', { 'a.conf': 'include a.conf' }), /includes nested/);
  });

  it('wants to know whose conditional lines count', () => {
    assert.throws(() => imported('@one priority 1\n@two priority 2\n'), /lines for the machines one, two only/);
  });

  it('never fails in any other way, whatever the file holds', () => {
    const words = Object.values(KEYWORDS).flatMap((block) => Object.keys(block));
    const word = fc.oneof(
      fc.constantFrom(...words),
      fc.constantFrom('{', '}', '"', '$A=$A', '$A', '@x', '~SEQ(', '10.0.0.1', '80', '\\'),
      fc.string(),
    );
    const line = fc.array(word, { maxLength: 5 }).map((parts) => parts.join(' '));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
        try {
          imported(lines.join('\n'));
        } catch (error) {
          assert.ok(error instanceof HsctlError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('manual of the migration', () => {
  const manual = readFileSync(join(DIRECTORY, '../../../docs/migrating-from-keepalived.md'), 'utf8');
  const used = Object.values(KEYWORDS).flatMap((block) =>
    Object.entries(block).flatMap(([keyword, fate]) => (fate === 'used' ? [keyword] : [])),
  );

  it('has each keyword in its table of counterparts', () => {
    const missing = new Set(used.filter((keyword) => !manual.includes(keyword)));
    assert.deepEqual([...missing], []);
  });
});
