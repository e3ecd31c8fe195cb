import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { roundDuration, roundSize } from '../../src/kit/amounts.ts';

describe('amounts for people', () => {
  it('rounds durations to two units', () => {
    const cases: [number, string][] = [
      [0, '0ms'],
      [850.4, '850ms'],
      [999.4, '999ms'],
      [999.6, '1.0s'],
      [4_210, '4.2s'],
      [9_960, '10s'],
      [31_400, '31s'],
      [59_600, '1m'],
      [725_000, '12m 5s'],
      [11_520_000, '3h 12m'],
      [3_600_000, '1h'],
      [9.2 * 86_400_000, '9d 4h'],
      [400 * 86_400_000, '400d'],
    ];
    for (const [milliseconds, text] of cases) assert.equal(roundDuration(milliseconds), text);
  });

  it('rounds sizes to three digits', () => {
    const cases: [number, string][] = [
      [0, '0 B'],
      [999, '999 B'],
      [1_000, '1.0 KiB'],
      [1_536 * 1_024, '1.5 MiB'],
      [1_023 * 1_024, '1.0 MiB'],
      [120 * 2 ** 30, '120 GiB'],
      [5_000 * 2 ** 40, '5000 TiB'],
    ];
    for (const [bytes, text] of cases) assert.equal(roundSize(bytes), text);
  });
});
