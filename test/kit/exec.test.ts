import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { HsctlError } from '../../src/kit/errors.ts';
import { run, startProgram } from '../../src/kit/exec.ts';

const LIMIT = { timeoutMs: 20_000 };
const sh = (script: string): readonly string[] => ['sh', '-c', script];

/** Resolves when a process has ended, reaped or not; fails if it has not after the time limit. */
async function ended(pid: number): Promise<void> {
  const wait = 'while s=$(ps -o stat= -p "$0") && [ "${s#Z}" = "$s" ]; do sleep 0.02; done';
  await run(['sh', '-c', wait, String(pid)], LIMIT);
}

async function failure(running: Promise<unknown>): Promise<HsctlError> {
  const thrown: unknown = await running.then(
    () => assert.fail('it did not fail'),
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof HsctlError, String(thrown));
  return thrown;
}

test('output, input, exit code and environment of a program', async () => {
  const result = await run(sh('cat; echo "$WORD" >&2'), { ...LIMIT, input: 'one\ntwo\n', env: { WORD: 'three' } });
  assert.deepEqual(result, { stdout: 'one\ntwo\n', stderr: 'three\n', exitCode: 0 });
});

test('arguments reach the program as they are, whatever a shell would make of them', async () => {
  const argument = '$(id) `id` "; rm *\n';
  assert.equal((await run(['printf', '%s', argument], LIMIT)).stdout, argument);
});

test('without input its standard input is empty', async () => {
  assert.equal((await run(['cat'], LIMIT)).stdout, '');
});

test('a program that does not read its input is no error', async () => {
  assert.equal((await run(['true'], { ...LIMIT, input: 'x'.repeat(1_000_000) })).exitCode, 0);
});

test('a refused exit code is an error with the command and its stderr', async () => {
  const error = await failure(run(sh('echo printed; echo "no such device" >&2; exit 7'), LIMIT));
  assert.equal(error.code, 'failed');
  assert.match(error.message, /^sh -c .*: exit code 7: no such device$/);
  assert.match((await failure(run(sh('echo only here; exit 1'), LIMIT))).message, /exit code 1: only here$/);
  assert.equal((await run(sh('exit 7'), { ...LIMIT, acceptExit: (code) => code === 7 })).exitCode, 7);
});

test('a program ended by a signal is an error even where every exit code is accepted', async () => {
  const error = await failure(run(sh('kill -SEGV $$'), { ...LIMIT, acceptExit: () => true }));
  assert.match(error.message, /ended by SIGSEGV/);
});

test('a missing program and one that may not be executed say what to do', async () => {
  const missing = await failure(run(['hsctl-no-such-program', '-x'], LIMIT));
  assert.equal(missing.message, 'hsctl-no-such-program: no such program');
  assert.match(missing.hint, /install it/);
  const folder = mkdtempSync(join(tmpdir(), 'hsctl-exec-'));
  try {
    const file = join(folder, 'hook');
    writeFileSync(file, '#!/bin/sh\n');
    chmodSync(file, 0o644);
    assert.match((await failure(run([file], LIMIT))).hint, /chmod/);
    assert.match((await failure(startProgram([file]))).hint, /chmod/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('out of time: the program and all that it started end, also where SIGTERM is ignored', async () => {
  const script = 'trap "" TERM; sleep 1000 & echo $! $$ >&2; while :; do sleep 1000; done';
  const error = await failure(run(sh(script), { timeoutMs: 300 }));
  assert.equal(error.code, 'timeout');
  const [, child, parent] = /not done within 300 ms: (\d+) (\d+)$/.exec(error.message) ?? assert.fail(error.message);
  await ended(Number(child));
  await ended(Number(parent));
});

test('a program can be called off', async () => {
  const off = new AbortController();
  const running = failure(run(['sleep', '1000'], { timeoutMs: 60_000, signal: off.signal }));
  off.abort();
  assert.match((await running).message, /^sleep 1000: called off$/);
  assert.match((await failure(run(['true'], { ...LIMIT, signal: AbortSignal.abort() }))).message, /called off/);
});

test('too much output is an error, or is cut where that is asked for', async () => {
  const endless = await failure(run(['yes'], { ...LIMIT, maxOutputBytes: 1000 }));
  assert.equal(endless.message, 'yes: printed more than 1000 bytes');
  const cut = await run(sh('yes | head -c 300000; yes | head -c 300000 >&2'), {
    ...LIMIT,
    maxOutputBytes: 1000,
    cutOutput: true,
  });
  assert.deepEqual([cut.stdout.length, cut.stderr.length, cut.exitCode], [1000, 65_536, 0]);
});

test('a long command and a long stderr are shortened in the message', async () => {
  const error = await failure(run(sh(`yes | head -c 5000 >&2; exit 1; # ${'x'.repeat(5000)}`), LIMIT));
  assert.ok(error.message.length < 1000, `${error.message.length} characters`);
});

test('something left in the background does not keep the result back and goes on', async () => {
  const { stdout } = await run(sh('sleep 1000 & echo $!'), LIMIT);
  process.kill(Number(stdout), 'SIGKILL');
  await ended(Number(stdout));
});

test('programs do not inherit what systemd gave to us, and find tools in sbin', async () => {
  process.env['NOTIFY_SOCKET'] = '/run/systemd/notify';
  process.env['WATCHDOG_USEC'] = '1000000';
  try {
    const { stdout } = await run(sh('echo "[$NOTIFY_SOCKET$WATCHDOG_USEC]$PATH"'), LIMIT);
    assert.match(stdout, /^\[\].*:\/usr\/sbin:/);
  } finally {
    delete process.env['NOTIFY_SOCKET'];
    delete process.env['WATCHDOG_USEC'];
  }
});

test('a lasting program: lines in, lines out, an end', async () => {
  const lines: string[] = [];
  const heard = Promise.withResolvers<undefined>();
  const program = await startProgram(sh('while read -r line; do echo "got $line"; done'), {
    onLine: (line, from) => {
      lines.push(`${from} ${line}`);
      if (lines.length === 2) heard.resolve(undefined);
    },
  });
  program.write('one\ntwo\n');
  await heard.promise;
  assert.deepEqual(lines, ['stdout got one', 'stdout got two']);
  program.kill('SIGTERM');
  assert.deepEqual(await program.exited, { exitCode: null, signal: 'SIGTERM' });
  program.write('to nobody\n');
  assert.equal(program.unreadBytes(), 0);
});

test('stop ends a lasting program that ignores SIGTERM, with what it started', async () => {
  const started = Promise.withResolvers<number>();
  const program = await startProgram(sh('trap "" TERM; sleep 1000 & echo $!; while :; do sleep 1000; done'), {
    onLine: (line) => started.resolve(Number(line)),
  });
  const child = await started.promise;
  assert.deepEqual(await program.stop(50), { exitCode: null, signal: 'SIGKILL' });
  await ended(child);
});

test('a lasting program that cannot be started says so', async () => {
  assert.match((await failure(startProgram(['hsctl-no-such-program']))).message, /no such program/);
});
