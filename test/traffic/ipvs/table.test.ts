import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HsctlError } from '../../../src/kit/errors.ts';
import type { TrafficDeps } from '../../../src/traffic/deps.ts';
import { IpvsTable } from '../../../src/traffic/ipvs/table.ts';

/** A table of services by a fake of ipvsadm, and what that was told. */
function tableWith(services: string[] = []): { table: IpvsTable; deps: Pick<TrafficDeps, 'run'>; told: string[] } {
  const told: string[] = [];
  const deps: Pick<TrafficDeps, 'run'> = {
    run: async ([, ...options], { input = '' }) => {
      told.push([...options, ...input.split('\n')].join(' ').trim());
      await new Promise((resolve) => void setImmediate(resolve));
      if (input.includes('wrong')) throw new HsctlError('failed', 'No such service', '');
      if (options[0] === '-R') services.push(...input.split('\n').filter(Boolean));
      return { stdout: services.join('\n'), stderr: '', exitCode: 0 };
    },
  };
  return { table: IpvsTable.of(deps), deps, told };
}

describe('IpvsTable', () => {
  it('is one for all drivers that start programs in the same way', () => {
    const { table, deps } = tableWith();
    assert.equal(IpvsTable.of({ ...deps }), table);
    assert.notEqual(tableWith().table, table);
  });

  it('reads once for all who ask at the same moment, and again for those who ask while it reads', async () => {
    const { table, told } = tableWith(['-A -f 7 -s fo']);
    const both = [table.read(), table.read()];
    await new Promise((resolve) => void setImmediate(resolve));
    assert.deepEqual(told, ['-Sn']);
    const later = table.read();
    assert.deepEqual(
      (await Promise.all([...both, later])).map((services) => [...services.keys()]),
      [['-f 7'], ['-f 7'], ['-f 7']],
    );
    assert.deepEqual(told, ['-Sn', '-Sn']);
  });

  it('changes for all who ask at the same moment by one program, one program after the other', async () => {
    const { table, told } = tableWith();
    const first = Promise.all([table.change(['-A -f 1 -s fo']), table.change(['-A -f 2 -s fo', '-A -f 3 -s fo'])]);
    await new Promise((resolve) => void setImmediate(resolve));
    const second = table.change(['-A -f 4 -s fo']);
    await Promise.all([first, second]);
    assert.deepEqual(told, ['-R -A -f 1 -s fo -A -f 2 -s fo -A -f 3 -s fo', '-R -A -f 4 -s fo']);
    assert.deepEqual([...(await table.read()).keys()], ['-f 1', '-f 2', '-f 3', '-f 4']);
  });

  it('tells all of them of a failure, and goes on', async () => {
    const { table } = tableWith();
    const failed = await Promise.allSettled([table.change(['wrong']), table.change(['-A -f 2 -s fo'])]);
    assert.deepEqual(
      failed.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    await table.change(['-A -f 2 -s fo']);
    assert.ok((await table.read()).has('-f 2'));
  });
});
