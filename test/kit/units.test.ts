import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HsctlError } from '../../src/kit/errors.ts';
import {
  DURATION_PATTERN,
  RATE_PATTERN,
  SIZE_PATTERN,
  formatDuration,
  formatRate,
  formatSize,
  parseDuration,
  parseRate,
  parseSize,
} from '../../src/kit/units.ts';

const whole = fc.maxSafeNat();

function errorOf(run: () => unknown): HsctlError {
  try {
    run();
  } catch (thrown) {
    assert.ok(thrown instanceof HsctlError);
    return thrown;
  }
  assert.fail('did not throw');
}

describe('durations', () => {
  for (const [text, milliseconds] of [
    ['250ms', 250],
    ['5s', 5000],
    ['1m', 60_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1m30s', 90_000],
    ['1d2h3m4s5ms', 93_784_005],
    ['0s', 0],
    ['90s', 90_000],
  ] as const) {
    it(`reads ${text}`, () => assert.equal(parseDuration(text), milliseconds));
  }

  for (const text of ['', '5', 's', '1.5s', '-1s', '5 s', ' 5s', '5S', '30s1m', '1s1s', '1w', '1e3s', '５s', '5s\n']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const error = errorOf(() => parseDuration(text));
      assert.equal(error.code, 'usage');
      assert.equal(error.message, `${JSON.stringify(text)} is not a duration`);
      assert.equal(error.hint, 'write whole numbers with units, largest first: 250ms, 5s, 1m30s, 2h or 1d');
    });
  }

  it('refuses what a number cannot hold exactly', () => {
    assert.equal(errorOf(() => parseDuration('104249991375d')).message, '"104249991375d" is too large for a duration');
  });

  it('quotes only the beginning of long text', () => {
    assert.equal(errorOf(() => parseDuration('x'.repeat(5000))).message, `"${'x'.repeat(40)}..." is not a duration`);
  });

  it('writes the shortest text', () => {
    assert.deepEqual([0, 250, 60_000, 90_000, 86_400_001, 12.6].map(formatDuration), [
      '0s',
      '250ms',
      '1m',
      '1m30s',
      '1d1ms',
      '13ms',
    ]);
  });

  it('reads back what it wrote, in the form that the pattern names', () => {
    fc.assert(
      fc.property(whole, (milliseconds) => {
        const text = formatDuration(milliseconds);
        assert.match(text, new RegExp(DURATION_PATTERN));
        assert.equal(parseDuration(text), milliseconds);
      }),
    );
  });
});

describe('sizes', () => {
  for (const [text, bytes] of [
    ['64KiB', 65_536],
    ['4GiB', 2 ** 32],
    ['1TiB', 2 ** 40],
    ['100MiB', 104_857_600],
    ['512B', 512],
    ['512', 512],
    ['0', 0],
  ] as const) {
    it(`reads ${text}`, () => assert.equal(parseSize(text), bytes));
  }

  for (const text of ['', '64KB', '64K', '64k', '1.5GiB', '-1B', 'KiB', '64 KiB', '1GiB1MiB']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const error = errorOf(() => parseSize(text));
      assert.equal(error.message, `${JSON.stringify(text)} is not a size`);
      assert.equal(error.hint, 'write a whole number with a unit: 64KiB, 100MiB or 4GiB (plain digits are bytes)');
    });
  }

  it('refuses what a number cannot hold exactly', () => {
    assert.equal(errorOf(() => parseSize('99999999TiB')).message, '"99999999TiB" is too large for a size');
  });

  it('writes the largest unit that is exact', () => {
    assert.deepEqual([0, 1000, 1024, 1536, 2 ** 32].map(formatSize), ['0B', '1000B', '1KiB', '1536B', '4GiB']);
  });

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(whole, fc.constantFrom(1, 2 ** 10, 2 ** 20, 2 ** 30), (count, factor) => {
        const bytes = Math.floor(count / factor) * factor;
        const text = formatSize(bytes);
        assert.match(text, new RegExp(SIZE_PATTERN));
        assert.equal(parseSize(text), bytes);
      }),
    );
  });
});

describe('rates', () => {
  it('reads sizes per second and "unlimited"', () => {
    assert.equal(parseRate('100MiB/s'), 104_857_600);
    assert.equal(parseRate('1B/s'), 1);
    assert.equal(parseRate('unlimited'), null);
  });

  for (const text of ['', '100MiB', '100MB/s', '100/s', 'none', '1MiB/m', '/s']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const error = errorOf(() => parseRate(text));
      assert.equal(error.message, `${JSON.stringify(text)} is not a rate`);
      assert.equal(error.hint, 'write a size per second, like 100MiB/s, or "unlimited"');
    });
  }

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.option(whole), (rate) => {
        const text = formatRate(rate);
        assert.match(text, new RegExp(RATE_PATTERN));
        assert.equal(parseRate(text), rate);
      }),
    );
  });
});
