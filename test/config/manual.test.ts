import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { COMMON_KEYS } from '../../src/config/probe-section.ts';
import { PROFILES, type ProfileNumbers } from '../../src/config/profiles.ts';
import { formatDuration, formatRate } from '../../src/kit/units.ts';

const manual = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
}

/** Every section of the schema by its path, with the keys that it may have. */
function sectionsOf(schema: Schema, path = ''): [path: string, key: string, schema: Schema][] {
  const inner = Object.entries(schema.properties ?? {}).flatMap(([key, value]) => [
    [path, key, value] as [string, string, Schema],
    ...sectionsOf(value, path === '' ? key : `${path}.${key}`),
  ]);
  const others =
    typeof schema.additionalProperties === 'object' ? sectionsOf(schema.additionalProperties, `${path}.*`) : [];
  const items = schema.items === undefined ? [] : sectionsOf(schema.items, `${path}[]`);
  return [...inner, ...others, ...items, ...(schema.oneOf ?? []).flatMap((each) => sectionsOf(each, path))];
}

const keys = sectionsOf(configJsonSchema() as Schema);

/** What each kind of probe has of its own is described in docs/probes.md, which is made from the same table. */
const PROBE = 'groups.*.app.probe';
const described = keys.filter(([path, key]) => {
  if (path === PROBE) return key === 'type' || key === 'of' || key in COMMON_KEYS;
  return !path.startsWith(PROBE);
});

/** Rows of the tables below a heading, by their first cell. */
function rowsBelow(heading: string): Map<string, string[]> {
  const section = manual.split(/^#+ /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const rows = [...section.matchAll(/^\| `([^`]+)` \|(.*)\|$/gm)];
  return new Map(rows.map(([, key = '', rest = '']) => [key, rest.split('|').map((cell) => cell.trim())]));
}

describe('JSON Schema', () => {
  it('accepts the example, and refuses what is wrong in ways that a schema can tell', () => {
    const schema = z.fromJSONSchema(configJsonSchema());
    const example = readFileSync(new URL('../../scripts/example.yaml', import.meta.url), 'utf8');
    assert.ok(schema.safeParse(parse(example)).success);
    for (const [found, put] of [
      ['lease: 1s', 'lease: 1'],
      ['lease: 1s', 'lease: 1 s'],
      ['lease: 1s', 'leese: 1s'],
      ['catchUpRate: 100MiB/s', 'catchUpRate: 100MB/s'],
      ['profile: balanced', 'profile: quick'],
      ['virtual: 10.0.0.100:9000', 'virtual: 10.0.0.100'],
      ['address: 10.0.0.100/32', 'address: 10.0.0.100'],
      ['port: 9000 ', 'port: 70000 '],
      ['cluster: realm-7', ''],
    ] as const) {
      assert.ok(example.includes(found), found);
      assert.ok(!schema.safeParse(parse(example.replace(found, put))).success, `${found} became ${put}`);
    }
  });

  it('has every section of the file, and lets no unknown key pass', () => {
    const paths = new Set(keys.map(([path]) => path));
    for (const path of [
      '',
      'tls',
      'controller',
      'groups.*',
      'groups.*.nodes.*',
      'groups.*.app.probe',
      'groups.*.traffic[]',
    ]) {
      assert.ok(paths.has(path), path);
    }
    const open = JSON.stringify(configJsonSchema()).match(/"properties":/g)?.length;
    assert.equal(JSON.stringify(configJsonSchema()).match(/"additionalProperties":false/g)?.length, open);
  });

  it('describes every key', () => {
    for (const [path, key, schema] of keys) assert.ok((schema.description ?? '').length > 5, `${path}.${key}`);
  });

  it('has patterns for units that JavaScript and editors can read', () => {
    const lease = keys.find(([path, key]) => path === 'groups.*.failover' && key === 'lease')?.[2].pattern ?? '';
    assert.ok(new RegExp(lease, 'u').test('1m30s'));
    assert.ok(!new RegExp(lease, 'u').test('90'));
    for (const [path, key, { pattern }] of keys)
      assert.doesNotThrow(() => new RegExp(pattern ?? '', 'u'), `${path}.${key}`);
  });
});

describe('docs/configuration.md', () => {
  it('has a row for every key of the schema, in the section of its place', () => {
    for (const [path, key] of described) {
      const heading = path === '' ? 'The file' : `\`${path}\``;
      assert.ok(rowsBelow(heading).has(key), `${heading} lacks a row for ${key}`);
    }
  });

  it('has no row for a key that is not in the schema', () => {
    for (const heading of new Set(described.map(([path]) => path))) {
      const known = new Set(described.filter(([path]) => path === heading).map(([, key]) => key));
      for (const row of rowsBelow(heading === '' ? 'The file' : `\`${heading}\``).keys())
        assert.ok(known.has(row), `${heading}.${row}`);
    }
  });

  it('gives the numbers of each profile', () => {
    const texts: Record<string, (numbers: ProfileNumbers) => string> = {
      'failover.lease': ({ leaseMs }) => formatDuration(leaseMs),
      'failover.heartbeat': ({ heartbeatMs }) => formatDuration(heartbeatMs),
      'failover.detect': ({ detectMs }) => formatDuration(detectMs),
      'failover.stallTimeout': ({ stallTimeoutMs }) => formatDuration(stallTimeoutMs),
      'failover.holdDown': ({ holdDownMs }) => formatDuration(holdDownMs),
      'failover.switchoverTimeout': ({ switchoverTimeoutMs }) => formatDuration(switchoverTimeoutMs),
      'app.probe.interval': ({ probe }) => formatDuration(probe.intervalMs),
      'app.probe.timeout': ({ probe }) => formatDuration(probe.timeoutMs),
      'app.heartbeat.interval': ({ appHeartbeat }) => formatDuration(appHeartbeat.intervalMs),
      'app.heartbeat.misses': ({ appHeartbeat }) => String(appHeartbeat.misses),
      'app.hookTimeout': ({ hookTimeoutMs }) => formatDuration(hookTimeoutMs),
      'app.readyTimeout': ({ readyTimeoutMs }) => formatDuration(readyTimeoutMs),
      'replication.catchUpRate': ({ catchUpRate }) => formatRate(catchUpRate),
    };
    const { fast, balanced, wan } = PROFILES;
    const expected = Object.entries(texts).map(([key, text]) => [key, [fast, balanced, wan].map(text)]);
    assert.deepEqual([...rowsBelow('Profiles')], expected);
  });
});
