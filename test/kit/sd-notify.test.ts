import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, suite, test } from 'node:test';
import { run, startProgram, type RunningProgram } from '../../src/kit/exec.ts';
import { type Logger, silentLogger } from '../../src/kit/logger.ts';
import { SdNotify } from '../../src/kit/sd-notify.ts';

/** Prints each datagram as one line; perl, because every Debian has it. */
const RECEIVER = `socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, sockaddr_un($ARGV[0])) or die; $| = 1;
  print "listening\\n"; while (defined recv($s, my $m, 65536, 0)) { $m =~ s/\\n/|/g; print "$m\\n" unless $m eq "BARRIER=1" }`;

suite('sd_notify', () => {
  let folder = '';
  let socket = '';
  let receiver: RunningProgram;
  const heard: string[] = [];
  const news = new EventEmitter();
  const warnings: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    warn: (message, fields) => void warnings.push(`${message}: ${String(fields?.['error'])}`),
  };

  /** Resolves when so many messages have come. */
  async function messages(count: number): Promise<readonly string[]> {
    while (heard.length < count) await once(news, 'message');
    return heard;
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hsctl-notify-'));
    socket = join(folder, 'notify');
    const listening = Promise.withResolvers<undefined>();
    receiver = await startProgram(['perl', '-MSocket', '-e', RECEIVER, socket], {
      onLine: (line) => {
        if (line === 'listening') return listening.resolve(undefined);
        heard.push(line);
        news.emit('message');
      },
    });
    await listening.promise;
  });
  after(async () => {
    await receiver.stop(1000);
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => void (heard.length = warnings.length = 0));

  test('each message arrives, in order, also the last before the end', async () => {
    const notify = new SdNotify({ NOTIFY_SOCKET: socket }, logger);
    notify.ready();
    notify.watchdog();
    notify.status('serving $(id)\nREADY=0  "as" -a');
    notify.status('serving $(id)\nREADY=0  "as" -a');
    notify.stopping();
    await notify.close();
    assert.deepEqual(await messages(4), [
      'READY=1',
      'WATCHDOG=1',
      'STATUS=serving $(id) READY=0 "as" -a',
      'STOPPING=1',
    ]);
    assert.deepEqual(warnings, []);
  });

  test('a helper that was lost is replaced', async () => {
    const notify = new SdNotify({ NOTIFY_SOCKET: socket }, logger);
    notify.ready();
    await messages(1);
    const children = await run(['ps', '-o', 'pid=,args=', '--ppid', String(process.pid)], { timeoutMs: 10_000 });
    const helper = /^\s*(\d+) sh -c while/m.exec(children.stdout)?.[1];
    process.kill(Number(helper), 'SIGKILL');
    while (heard.length < 2) {
      notify.watchdog();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await notify.close();
    assert.equal(heard[1], 'WATCHDOG=1');
  });

  test('the watchdog interval is taken only if it is meant for this process', async () => {
    const interval = async (env: Record<string, string>): Promise<number | null> => {
      const notify = new SdNotify(env, logger);
      await notify.close();
      return notify.watchdogMs;
    };
    const NOTIFY_SOCKET = socket;
    assert.equal(await interval({ NOTIFY_SOCKET, WATCHDOG_USEC: '2500000' }), 2500);
    assert.equal(await interval({ NOTIFY_SOCKET, WATCHDOG_USEC: '5000', WATCHDOG_PID: String(process.pid) }), 5);
    assert.equal(await interval({ NOTIFY_SOCKET, WATCHDOG_USEC: '5000', WATCHDOG_PID: '1' }), null);
    assert.equal(await interval({ NOTIFY_SOCKET }), null);
    assert.equal(await interval({ NOTIFY_SOCKET, WATCHDOG_USEC: 'soon' }), null);
    assert.equal(await interval({ WATCHDOG_USEC: '2500000' }), null);
  });

  test('without systemd nothing is started and everything is accepted', async () => {
    const notify = new SdNotify({}, logger);
    notify.ready();
    const children = await run(['ps', '-o', 'args=', '--ppid', String(process.pid)], { timeoutMs: 10_000 });
    assert.doesNotMatch(children.stdout, /sh -c while/);
    await notify.close();
  });

  test('a socket that nobody reads is told once and harms nobody', async () => {
    const notify = new SdNotify({ NOTIFY_SOCKET: join(folder, 'absent') }, logger);
    for (let count = 0; count < 1000; count += 1) notify.watchdog();
    await notify.close();
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /^cannot notify systemd: .*(No such file|not found)/);
  });
});
