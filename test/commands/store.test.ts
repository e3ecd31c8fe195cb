import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { systemScheduler } from '../../src/kit/clock.ts';
import { storeArchivesSchema, storeInfoSchema, storeVerdictSchema } from '../../src/model/store-answers.ts';
import { BatchBuilder } from '../../src/protocol/batch/batch-builder.ts';
import { DiskLog } from '../../src/replication/log/disk-log.ts';
import { NodeDisk } from '../../src/replication/log/node-disk.ts';
import { CliFixture } from './cli-fixture.ts';

let cli: CliFixture;
let store: string;

/** A store of node a: five records in one reign, of which the last two are cut off again. */
beforeEach(async () => {
  cli = new CliFixture();
  store = join(cli.directory, 'store-a');
  const log = DiskLog.open({
    disk: new NodeDisk(),
    directory: store,
    segmentBytes: 1_048_576,
    tombstonesMs: 86_400_000,
    fsyncAlways: false,
    clock: systemScheduler,
    readBackTimers: null,
    random: () => 0.5,
    rewriter: () => Promise.reject(new Error('nothing is compacted here')),
    startIndexBuilder: () => assert.fail('nothing comes whole here'),
    onTornTail: () => undefined,
    onTrouble: () => undefined,
  });
  const builder = new BatchBuilder();
  const append = (): void => log.append(builder.finish(4, log.end.seq + 1, log.end.hash));
  const set = (key: string, value: Uint8Array | string): void => {
    const bytes = Buffer.concat([Buffer.from(key), Buffer.from(value)]);
    builder.set(bytes, 0, key.length, key.length, bytes.length);
  };
  builder.reign('a');
  builder.inSync(['a', 'b']);
  set('name', 'kept');
  append();
  const kept = log.end;
  set('name', 'cut');
  set('bytes', Uint8Array.of(0xff, 0));
  builder.delete(Buffer.from('name'), 0, 4);
  builder.inSync(['a']);
  append();
  await log.cut(kept);
  await log.close();
});
afterEach(() => cli.close());

const json = (text: string): unknown => JSON.parse(text);

describe('hsctl store', () => {
  it('info describes the only store on this machine, or the one that is named', async () => {
    const { code, stdout } = await cli.run(['store', 'info']);
    assert.equal(code, 0);
    assert.match(stdout, /store-a: readable, ends at 4-3\n[^]*used by +nobody\n[^]*reigns +4 from seq 1\n/);
    assert.match(stdout, /\nFILE +FIRST SEQ +END +SIZE +STATE\n.*\.log +1 +4-3 +/);
    for (const argv of [['world', 'a'], ['a'], ['world'], ['--dir', store]]) {
      const named = storeInfoSchema.parse(json((await cli.run(['store', 'info', ...argv, '--json'])).stdout));
      assert.deepEqual([named.directory, named.end.seq], [store, 3]);
    }
  });

  it('verify says that all is right, or where it is not', async () => {
    const right = await cli.run(['store', 'verify']);
    assert.deepEqual([right.code, right.stderr], [0, '']);
    assert.match(right.stdout, /store-a: every checksum is right; 3 records, \d+ B, ends at 4-3\n$/);
    const segment = readdirSync(store).find((name) => name.endsWith('.log')) ?? '';
    const bytes = readFileSync(join(store, segment));
    bytes[60] = (bytes[60] ?? 0) ^ 1;
    writeFileSync(join(store, segment), bytes);
    const wrong = await cli.run(['store', 'verify']);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stdout, /store-a: damaged; [^]*\.log, byte 0: /);
    const verdict = storeVerdictSchema.parse(json((await cli.run(['store', 'verify', '--json'])).stdout));
    assert.equal(verdict.problems.length, 1);
  });

  it('archives lists what was cut off, and prints the records in it', async () => {
    const { code, stdout } = await cli.run(['store', 'archives']);
    assert.equal(code, 0);
    const [, name = ''] = /\n(\S+) +tail of the log +\S+ \S+ +4 +4-7 +4 +/.exec(stdout) ?? [];
    assert.notEqual(name, '');
    const records = await cli.run(['store', 'archives', '--records', name]);
    assert.deepEqual(records.stdout.trim().split('\n').map(json), [
      { epoch: 4, seq: 4, op: 'set', key: 'name', value: 'cut' },
      { epoch: 4, seq: 5, op: 'set', key: 'bytes', valueBase64: '/wA=' },
      { epoch: 4, seq: 6, op: 'delete', key: 'name' },
    ]);
    const listed = storeArchivesSchema.parse(json((await cli.run(['store', 'archives', '--json'])).stdout));
    assert.deepEqual(
      listed.archives.map(({ kind, firstSeq, records: count }) => [kind, firstSeq, count]),
      [['tail', 4, 4]],
    );
    const unknown = await cli.run(['store', 'archives', '--records', 'x']);
    assert.deepEqual([unknown.code, unknown.stderr], [2, `hsctl: there is no archive x\n  there are: ${name}\n`]);
  });

  it('changes nothing', async () => {
    const look = (): unknown[] =>
      readdirSync(store, { recursive: true }).map((name) => [name, statSync(join(store, String(name))).mtimeMs]);
    const before = look();
    for (const what of ['info', 'verify', 'archives']) assert.equal((await cli.run(['store', what])).code, 0);
    assert.deepEqual(look(), before);
  });

  it('says which store it wants, and that there is none', async () => {
    const none = await cli.run(['store', 'info', 'b']);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /store-b holds no store\n/);
    const file = await cli.run(['store', 'info', '--dir', join(store, 'meta.json')]);
    assert.match(file.stderr, /meta\.json is a file, not the directory of a store\n {2}name the directory that .*\n$/);
    const nowhere = await cli.run(['store', 'info', '--config', '/nowhere']);
    assert.match(nowhere.stderr, /\/nowhere: no such file\n {2}.*; with --dir none is needed\n$/);
    mkdirSync(join(cli.directory, 'store-b'));
    assert.match(
      (await cli.run(['store', 'info'])).stderr,
      /^hsctl: which node\?\n {2}name one of a, b, or a directory with --dir\n$/,
    );
    assert.match((await cli.run(['store', 'info', 'c'])).stderr, /^hsctl: group world has no node c\n/);
    assert.equal((await cli.run(['store', 'info', 'world', 'c'])).code, 2);
  });
});
