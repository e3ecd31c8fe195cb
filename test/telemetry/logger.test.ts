import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HsctlError } from '../../src/kit/errors.ts';
import { run } from '../../src/kit/exec.ts';
import { createLogger, loggerOptions, type LoggerOptions } from '../../src/telemetry/logger.ts';

function setup(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const logger = createLogger(
    { level: 'info', forPeople: false, colours: false, ...options },
    { write: (line: string) => void lines.push(line) },
  );
  return { logger, lines };
}

describe('createLogger', () => {
  it('writes a line of JSON with time, level, message and fields', () => {
    const { logger, lines } = setup();
    logger.warn('link lost', { peer: '10.0.0.12', silentMs: 600 });
    assert.equal(lines.length, 1);
    assert.ok(lines[0]?.endsWith('}\n'));
    const { time, ...rest } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(rest, { level: 'warn', peer: '10.0.0.12', silentMs: 600, message: 'link lost' });
  });

  it('leaves out what is below its level', () => {
    const { logger, lines } = setup({ level: 'warn' });
    logger.debug('one');
    logger.info('two');
    logger.warn('three');
    logger.error('four');
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { message: string }).message),
      ['three', 'four'],
    );
  });

  it('gives children their fields', () => {
    const { logger, lines } = setup();
    logger.child({ group: 'world' }).child({ node: 'a' }).info('serving', { epoch: 3 });
    const { group, node, epoch } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    assert.deepEqual({ group, node, epoch }, { group: 'world', node: 'a', epoch: 3 });
  });

  it('writes errors with message and cause', () => {
    const { logger, lines } = setup();
    logger.error('cannot save', { error: new HsctlError('disk', 'disk full', '', { cause: new Error('ENOSPC') }) });
    const { error } = JSON.parse(lines[0] ?? '') as { error: { message: string; stack: string } };
    assert.match(error.message, /disk full/);
    assert.match(error.message, /ENOSPC/);
  });

  it('keeps a line one line, whatever is in it', () => {
    for (const forPeople of [false, true]) {
      const { logger, lines } = setup({ forPeople });
      logger.info('two\nlines \u001b[2J', { text: 'a\nb', other: '\u001b]0;x\u0007', c1: 'a b\u009b2J' });
      assert.equal(lines.length, 1);
      assert.equal(lines[0]?.split('\n').length, 2);
      assert.ok(!lines[0]?.includes('\u001b'));
      assert.ok(!forPeople || !lines[0]?.includes('\u009b'));
    }
  });

  it('writes for people on a terminal', () => {
    const { logger, lines } = setup({ forPeople: true });
    logger
      .child({ name: 'agent', group: 'world', node: 'a' })
      .warn('link lost', { peer: '10.0.0.12', why: 'no answer', silentMs: 600 });
    logger.info('started', { error: new Error('none') });
    assert.match(
      lines[0] ?? '',
      /^\d\d:\d\d:\d\d\.\d{3} warn  agent world\/a link lost peer=10\.0\.0\.12 why="no answer" silentMs=600\n$/,
    );
    assert.match(lines[1] ?? '', /^\d\d:\d\d:\d\d\.\d{3} info  started error="none"\n$/);
  });

  it('colours whole lines where it may', () => {
    const { logger, lines } = setup({ forPeople: true, colours: true });
    logger.error('down');
    logger.info('up');
    assert.ok(lines[0]?.startsWith('\u001b[31m'));
    assert.ok(lines[0]?.endsWith(' down\u001b[0m\n'));
    assert.ok(!lines[1]?.includes('\u001b'));
  });
});

describe('makeLogger', () => {
  it('loses no line of a process that ends, and names the process', async () => {
    const source = `
      import { makeLogger } from ${JSON.stringify(new URL('../../src/telemetry/logger.ts', import.meta.url).href)};
      const logger = makeLogger({ name: 'agent' });
      for (let line = 1; line <= 2000; line += 1) logger.info('line', { line });
      process.exit(0);`;
    const { stdout } = await run([process.execPath, '--input-type=module', '--eval', source], { timeoutMs: 60_000 });
    const lines = stdout.trimEnd().split('\n');
    assert.equal(lines.length, 2000);
    const { name, line } = JSON.parse(lines[1999] ?? '') as { name: string; line: number };
    assert.deepEqual({ name, line }, { name: 'agent', line: 2000 });
  });
});

describe('loggerOptions', () => {
  it('takes the level from the flag, else from the environment, else info', () => {
    assert.equal(loggerOptions('debug', { HSCTL_LOG: 'error' }, false).level, 'debug');
    assert.equal(loggerOptions(undefined, { HSCTL_LOG: 'error' }, false).level, 'error');
    assert.equal(loggerOptions(undefined, { HSCTL_LOG: '' }, false).level, 'info');
    assert.equal(loggerOptions(undefined, {}, false).level, 'info');
  });

  it('writes for people, in colours, on a terminal only', () => {
    assert.deepEqual(loggerOptions(undefined, {}, true), { level: 'info', forPeople: true, colours: true });
    assert.deepEqual(loggerOptions(undefined, {}, false), { level: 'info', forPeople: false, colours: false });
    assert.equal(loggerOptions(undefined, { NO_COLOR: '1' }, true).colours, false);
    assert.equal(loggerOptions(undefined, { NO_COLOR: '' }, true).colours, true);
  });

  it('refuses a level that there is not', () => {
    assert.throws(
      () => loggerOptions('loud', {}, false),
      (error) =>
        error instanceof HsctlError &&
        error.code === 'usage' &&
        error.message === '"loud" is not a log level' &&
        error.hint === 'use one of debug, info, warn, error',
    );
  });
});
