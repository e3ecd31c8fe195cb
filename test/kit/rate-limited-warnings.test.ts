import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Clock } from '../../src/kit/clock.ts';
import { silentLogger, type LogFields } from '../../src/kit/logger.ts';
import { RateLimitedWarnings } from '../../src/kit/rate-limited-warnings.ts';

function setup() {
  let nowMs = 0;
  const lines: { message: string; fields: LogFields | undefined }[] = [];
  const clock: Clock = { monotonicMs: () => nowMs, wallMs: () => nowMs };
  const logger = {
    ...silentLogger,
    warn: (message: string, fields?: LogFields) => void lines.push({ message, fields }),
  };
  return { lines, warnings: new RateLimitedWarnings(logger, clock), advance: (byMs: number) => (nowMs += byMs) };
}

describe('RateLimitedWarnings', () => {
  it('logs a subject once a minute, then says how many it left out', () => {
    const { lines, warnings, advance } = setup();
    for (let i = 0; i < 5; i += 1) warnings.warn('10.0.0.1', 'refused', { peer: '10.0.0.1' });
    advance(59_999);
    warnings.warn('10.0.0.1', 'refused', { peer: '10.0.0.1' });
    assert.deepEqual(lines, [{ message: 'refused', fields: { peer: '10.0.0.1' } }]);
    advance(1);
    warnings.warn('10.0.0.1', 'refused', { peer: '10.0.0.1' });
    assert.deepEqual(lines[1], { message: 'refused', fields: { peer: '10.0.0.1', suppressed: 5 } });
    advance(60_000);
    warnings.warn('10.0.0.1', 'refused');
    assert.deepEqual(lines[2], { message: 'refused', fields: {} });
  });

  it('keeps subjects apart', () => {
    const { lines, warnings } = setup();
    warnings.warn('one', 'first');
    warnings.warn('two', 'second');
    assert.deepEqual(
      lines.map((line) => line.message),
      ['first', 'second'],
    );
  });

  it('stays bounded under any number of subjects, and tells new ones apart again after the period', () => {
    const { lines, warnings, advance } = setup();
    for (let i = 0; i < 5000; i += 1) warnings.warn(`subject ${i}`, 'refused');
    assert.equal(lines.length, 101);
    advance(60_000);
    for (let i = 0; i < 5000; i += 1) warnings.warn(`later subject ${i}`, 'refused');
    assert.equal(lines.length, 202);
    assert.equal(lines[201]?.fields?.['suppressed'], 4899);
  });
});
