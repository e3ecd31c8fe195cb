import { readFile } from 'node:fs/promises';
import { sleep, type Scheduler } from '../../kit/clock.ts';
import type { run } from '../../kit/exec.ts';
import { fine, warning, type Look } from './finding.ts';

const SOURCE_FILE = '/sys/devices/system/clocksource/clocksource0/current_clocksource';
/** Read by a trap or a slow bus: leases and heartbeats ask the clock thousands of times a second. */
const SLOW_SOURCES = ['acpi_pm', 'hpet', 'pit', 'jiffies', 'refined-jiffies'];
const TOOL_TIMEOUT_MS = 2000;

const SAMPLES = 20;
const SAMPLE_MS = 25;
/** A timer as late as this is a sign of a busy or stolen processor. */
const LATE_MS = 50;
const DISAGREEMENT_MS = 5;

/** Whether the clock is set by somebody, cheap to read and steady. */
export async function lookAtClock(scheduler: Scheduler, runTool: typeof run): Promise<readonly Look[]> {
  return Promise.all([synchronised(runTool), source(), steady(scheduler)]);
}

async function synchronised(runTool: typeof run): Promise<Look> {
  const check = 'clock synchronised';
  const ask = async (command: readonly string[]): Promise<string> => {
    const answer = await runTool(command, { timeoutMs: TOOL_TIMEOUT_MS }).catch(() => null);
    return answer?.stdout ?? '';
  };
  const answer = (await ask(['timedatectl', 'show', '--property=NTPSynchronized', '--value'])).trim();
  if (answer === 'yes') return fine(check, 'the system clock is synchronised');
  if (/^Leap status\s*:\s*Normal/m.test(await ask(['chronyc', '-n', 'tracking']))) {
    return fine(check, 'chrony keeps the system clock');
  }
  const hint = 'let chrony or systemd-timesyncd keep it: apt-get install chrony';
  const found = answer === 'no' ? 'nobody keeps the system clock' : 'no sign of anybody who keeps the system clock';
  return warning(check, `${found}: times in events and certificates may be off`, hint);
}

async function source(): Promise<Look> {
  const check = 'clock source';
  const name = (await readFile(SOURCE_FILE, 'utf8').catch(() => '')).trim();
  if (!SLOW_SOURCES.includes(name)) return fine(check, name === '' ? 'not told by the kernel' : name);
  return warning(check, `${name} is slow to read`, 'see the kernel log for why it is not tsc or kvm-clock');
}

/** Watches both clocks for half a second. */
async function steady(scheduler: Scheduler): Promise<Look> {
  const check = 'clock steady';
  let latestMs = 0;
  let disagreementMs = 0;
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const beganMs = scheduler.monotonicMs();
    const beganWallMs = scheduler.wallMs();
    await sleep(scheduler, SAMPLE_MS);
    const passedMs = scheduler.monotonicMs() - beganMs;
    latestMs = Math.max(latestMs, passedMs - SAMPLE_MS);
    disagreementMs = Math.max(disagreementMs, Math.abs(scheduler.wallMs() - beganWallMs - passedMs));
  }
  if (disagreementMs > DISAGREEMENT_MS) {
    return warning(
      check,
      `wall and monotonic clock disagree by ${disagreementMs.toFixed(1)} ms within ${SAMPLE_MS} ms`,
      'the clock is being set in steps; hsctl decides nothing while it jumps',
    );
  }
  if (latestMs > LATE_MS) {
    return warning(
      check,
      `a timer came ${Math.round(latestMs)} ms late`,
      'the processor is busy or taken away by the host: use profile balanced or wan',
    );
  }
  return fine(check, `timers at most ${latestMs.toFixed(1)} ms late`);
}
