import { parseArgs } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { GROUP, type NodeName, otherThan } from '../../test/rig/cluster.ts';
import { failures, longestGapMs, outageMs } from '../../test/rig/history.ts';
import { HistoryRun } from '../../test/rig/history-run.ts';
import { machineMs } from '../../test/rig/machine-clock.ts';
import { onLoopback, onNamespaces, type Stage } from './stage.ts';

/** How long the client writes before and after something happens, so that there is something to see. */
const WRITE_MS = 1500;

let chapters = 0;

function chapter(title: string): void {
  console.log(`\n${++chapters}. ${title}\n`);
}

function tell(line: string): void {
  console.log(`   ${line}`);
}

async function show(stage: Stage, ...args: readonly string[]): Promise<void> {
  tell(`$ hsctl ${args.join(' ')}`);
  const printed = await stage.cluster.hsctl(...args);
  for (const line of printed.trimEnd().split('\n')) tell(`  ${line}`);
}

/** Compares what the client was promised with what is there. Rejects if a promise was broken. */
async function checkPromises(stage: Stage, history: HistoryRun): Promise<void> {
  const { outcomes, lost, ghosts, duplicates } = await history.check(stage.service);
  tell(`acknowledged: ${outcomes.ok} changes; now missing: ${lost.length}, there twice: ${duplicates.length}`);
  if (lost.length + ghosts.length + duplicates.length > 0)
    throw new Error('the pair did not keep what it acknowledged');
}

async function crash(stage: Stage, master: NodeName): Promise<void> {
  const history = await HistoryRun.start(stage.client, { to: stage.service, name: 'crash-' });
  await pause(WRITE_MS);
  tell(`$ kill -9 ${stage.cluster.app(master).pid}        # friend-list on ${master}`);
  const beginMs = machineMs();
  await stage.cluster.app(master).kill();
  const endMs = machineMs();
  await history.nextOk();
  await pause(WRITE_MS);
  const attempts = await history.stop();
  const outage = outageMs(attempts, { beginMs, endMs }) ?? Infinity;
  tell(`first answer from ${otherThan(master)}: ${outage.toFixed(0)} ms after the kill`);
  await checkPromises(stage, history);
}

async function handOver(stage: Stage, to: NodeName): Promise<void> {
  const history = await HistoryRun.start(stage.client, { to: stage.service, name: 'planned-' });
  await pause(WRITE_MS);
  const beginMs = machineMs();
  await show(stage, 'promote', GROUP, to, '--wait');
  await history.nextOk();
  const endMs = machineMs();
  await pause(WRITE_MS);
  const attempts = await history.stop();
  const failed = failures(attempts, 0, Infinity).length;
  tell(`longest wait of the client: ${longestGapMs(attempts, beginMs, endMs).toFixed(0)} ms; failed writes: ${failed}`);
  await checkPromises(stage, history);
}

async function play(stage: Stage): Promise<void> {
  const { cluster } = stage;
  chapter('Both friend-list servers run, one of them serves');
  await show(stage, 'status');
  const master = await cluster.master();

  chapter(`A client adds and removes friends, a connection for each; its server on ${master} is killed`);
  await crash(stage, master);
  await show(stage, 'events');

  chapter(`The server on ${master} is started again, and follows until it holds everything`);
  await cluster.restartEnded();
  await cluster.whole();
  await show(stage, 'status');

  chapter(`Back to ${master}, as planned, while the client goes on`);
  await handOver(stage, master);
  await cluster.whole();
  await show(stage, 'status');
}

async function keep(stage: Stage): Promise<void> {
  chapter('It goes on running until Ctrl-C. To play with it from another terminal:');
  const { configFile } = stage.cluster;
  tell(`${stage.enter('director')}bin/hsctl.js status --watch --config ${configFile}`);
  tell(`${stage.enter('director')}bin/hsctl.js promote --config ${configFile}`);
  const [host, port] = stage.service.split(':');
  tell(`${stage.enter('client')}bash -c 'exec 3<>/dev/tcp/${host}/${port}; echo LIST crash-u1 >&3; head -n1 <&3'`);
  await new Promise(() => setInterval(() => {}, 60_000));
}

const { values } = parseArgs({
  options: { keep: { type: 'boolean', default: false }, loopback: { type: 'boolean', default: false } },
});
const run = process.getuid?.() === 0 && !values.loopback ? onNamespaces : onLoopback;
await run(async (stage) => {
  await play(stage);
  if (values.keep) await keep(stage);
});
console.log('\nDone; nothing is left running.');
