import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { systemScheduler, type Scheduler } from '../../../src/kit/clock.ts';
import { HsctlError } from '../../../src/kit/errors.ts';
import { run, startProgram } from '../../../src/kit/exec.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { WatchdogKeeper } from '../../../src/traffic/watchdog/keeper.ts';
import { until } from '../../rig/until.ts';

/** Notes each line that it is given, as the program that feeds a device would act on it. */
const NOTING = `while IFS= read -r line; do
  case $line in
    end) echo end ;;
    close) echo close >> "$1"; exit 0 ;;
    *) echo "$line" >> "$1" ;;
  esac
done
echo "left counting" >> "$1"`;

let directory: string;
let notes: string;
/** The periodic feeding, in the hand of the test. */
let feedByTimer: () => void;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hsctl-watchdog-'));
  notes = join(directory, 'notes');
  writeFileSync(notes, '');
  writeFileSync(join(directory, 'feed'), NOTING);
});
afterEach(() => rmSync(directory, { recursive: true }));

const scheduler: Scheduler = {
  ...systemScheduler,
  every(_periodMs, task) {
    feedByTimer = task;
    return { cancel: () => undefined };
  },
};

function makeKeeper(
  command: readonly string[] | null = ['sh', join(directory, 'feed')],
  device = notes,
): WatchdogKeeper {
  return new WatchdogKeeper(
    { device, timeoutS: 5, periodMs: 100, ...(command === null ? {} : { command }) },
    { scheduler, logger: silentLogger, run, startProgram },
  );
}

const fed = (): string[] => readFileSync(notes, 'utf8').trim().split('\n');

describe('the watchdog of a node', () => {
  it('is fed by a timer without traffic, by renewed leases alone with it, and stopped by an orderly end', async () => {
    const keeper = makeKeeper();
    await keeper.start();
    feedByTimer();
    await until('the timer feeds it', () => fed().length === 2);
    keeper.renewed();
    await until('a lease feeds it', () => fed().length === 3);
    for (let beat = 0; beat < 10; beat += 1) feedByTimer();
    keeper.renewed();
    await until('so does the next, and the timer has not', () => fed().length === 4);
    keeper.released();
    feedByTimer();
    await until('without traffic the timer feeds it again', () => fed().length === 6);
    await keeper.close();
    assert.deepEqual(fed(), ['feed', 'feed', 'feed', 'feed', 'feed', 'feed', 'close']);
  });

  it('goes on counting when the agent is killed', async () => {
    const program = await startProgram(['sh', join(directory, 'feed'), notes]);
    program.write('feed\n');
    program.endInput();
    await program.exited;
    assert.deepEqual(fed(), ['feed', 'left counting']);
  });

  it('keeps an agent from starting where the device is none', async () => {
    for (const [device, expected] of [
      [notes, /is no watchdog: Inappropriate ioctl/],
      [join(directory, 'nowhere'), /cannot be opened: No such file/],
    ] as const) {
      await assert.rejects(makeKeeper(null, device).start(), (error) => {
        assert.ok(error instanceof HsctlError);
        assert.match(error.message, expected);
        return /modprobe softdog/.test(error.hint);
      });
    }
  });
});
