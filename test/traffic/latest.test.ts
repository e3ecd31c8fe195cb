import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Latest } from '../../src/traffic/latest.ts';

describe('Latest', () => {
  it('runs one wish at a time and of those that wait only the newest', async () => {
    const started: { readonly wish: string; readonly done: () => void }[] = [];
    const latest = new Latest<string>((wish) => new Promise((done) => started.push({ wish, done })));
    const first = latest.submit('one');
    const second = latest.submit('two');
    const third = latest.submit('three');
    assert.deepEqual(
      started.map(({ wish }) => wish),
      ['one'],
    );
    started[0]?.done();
    await first;
    assert.deepEqual(
      started.map(({ wish }) => wish),
      ['one', 'three'],
    );
    started[1]?.done();
    await Promise.all([second, third]);
    assert.equal(started.length, 2);
  });

  it('gives the failure of the run to everybody who waited for it, and goes on', async () => {
    const done: string[] = [];
    const latest = new Latest<string>(async (wish) => {
      await Promise.resolve();
      if (wish === 'three') throw new Error(`no ${wish}`);
      done.push(wish);
    });
    const first = latest.submit('one');
    const others = [latest.submit('two'), latest.submit('three')].map((other) => assert.rejects(other, /no three/));
    await Promise.all([first, ...others]);
    await latest.submit('four');
    assert.deepEqual(done, ['one', 'four']);
  });

  it('is idle when nothing runs or waits', async () => {
    const done: number[] = [];
    const latest = new Latest<number>(async (wish) => {
      await Promise.resolve();
      done.push(wish);
    });
    void latest.submit(1);
    void latest.submit(2);
    await latest.idle();
    assert.deepEqual(done, [1, 2]);
  });
});
