import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { CreatedServices } from '../../../src/traffic/ipvs/created-services.ts';
import { TemporaryFolder } from '../temporary-folder.ts';

let folder: TemporaryFolder;
beforeEach(() => {
  folder = new TemporaryFolder();
  folder.write('boot', 'one\n');
});
afterEach(() => folder.remove());

const next = (): CreatedServices =>
  new CreatedServices(join(folder.path, 'state/services.json'), join(folder.path, 'boot'));

it('what was made is known to the next process, and to the others of this one, until the machine is booted', () => {
  const [one, other] = [next(), next()];
  one.add('-t 10.0.0.100:80');
  other.add('-f 7 -6');
  assert.deepEqual([next().has('-t 10.0.0.100:80'), one.has('-f 7 -6'), one.has('-f 7')], [true, true, false]);
  other.delete('-t 10.0.0.100:80');
  assert.deepEqual([one.has('-t 10.0.0.100:80'), one.has('-f 7 -6')], [false, true]);
  folder.write('boot', 'two\n');
  assert.equal(next().has('-f 7 -6'), false);
});

it('a damaged file tells nothing', () => {
  next().add('-f 7');
  for (const text of ['', '{"boot":"one"}', '{"boot":"one","services":[7]}', '[]']) {
    writeFileSync(join(folder.path, 'state/services.json'), text);
    assert.equal(next().has('-f 7'), false);
  }
  next().add('-f 8');
  assert.equal(next().has('-f 8'), true);
});

it('without a file the object itself remembers', () => {
  const created = new CreatedServices(null);
  created.add('-f 7');
  assert.equal(created.has('-f 7'), true);
  created.delete('-f 7');
  assert.equal(created.has('-f 7'), false);
});
