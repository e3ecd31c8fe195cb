import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { ApiClient } from '../../../src/api/client.ts';
import { foregroundScheduler } from '../../../src/kit/clock.ts';
import type { RigProcess } from '../../../test/rig/rig-process.ts';
import { until } from '../../../test/rig/until.ts';
import type { Bench } from '../bench-types.ts';
import { builtPackage } from '../replication/built-package.ts';
import { median } from '../replication/median.ts';
import { residentMb } from '../replication/process-memory.ts';
import { inYard } from '../replication/yard.ts';
import {
  APP_PORT,
  CLUSTER,
  CONTROL_PORT,
  groupName,
  HEARTBEAT_MS,
  nodeAddress,
  NODES,
  proxyAddress,
} from './places.ts';

const STUBS = fileURLToPath(new URL('stubs.ts', import.meta.url));
const GROUPS = 1000;
const FAILING_GROUPS = 100;
const USUAL_RUNS = 3;
const STATUS_RUNS = 5;
/** Over which the processor time of the idle controller is counted. */
const WINDOW_MS = 10_000;
/** The kernel counts processor time in hundredths of a second. */
const TICKS_PER_SECOND = 100;

/** What one controller costs that watches 1,000 groups, and how fast it is when 100 of them fail at once. */
export const scale: Bench = ({ runs, note }) =>
  inYard(async (machine) => {
    const hsctl = await builtPackage(machine);
    const dir = join(machine.dir, 'scale');
    mkdirSync(dir);
    const configFile = join(dir, 'hsctl.yaml');
    const socket = join(dir, 'controller.sock');
    writeFileSync(configFile, stringify(clusterFile(dir, socket), { aliasDuplicateObjects: false }));

    const stubs = await machine.spawn([process.execPath, STUBS, String(GROUPS)], { name: 'stubs' });
    await stubs.waitFor(/^ready$/m, 60_000);
    const beganMs = performance.now();
    const argv = [process.execPath, hsctl, 'controller', '--config', configFile];
    const controller = await machine.spawn(argv, { name: 'controller', cwd: dir, env: { HSCTL_LOG: 'error' } });
    const client = new ApiClient(socket, foregroundScheduler);
    const serving = async (): Promise<number> => {
      const status = await client.status().catch(() => null);
      return status?.groups.filter((group) => group.serving).length ?? 0;
    };
    await until('all groups to serve', async () => (await serving()) === GROUPS, 90_000, 500);
    note(`all groups serve after ${Math.round(performance.now() - beganMs)} ms`);
    await pause(2000);

    const cores = await processorUse(controller.pid, WINDOW_MS);
    note(`cores: ${cores}`);
    const statusMs: number[] = [];
    const command = [hsctl, 'status', '--config', configFile];
    await machine.run([process.execPath, ...command]);
    for (let run = 0; run < STATUS_RUNS; run += 1)
      statusMs.push(await timed(() => machine.run([process.execPath, ...command])));
    note(`status: ${statusMs.map(Math.round).join(', ')} ms`);
    const failovers: number[] = [];
    for (let run = 0; run < (runs ?? USUAL_RUNS); run += 1) {
      failovers.push(await failAtOnce(stubs, client));
      note(`failover of ${FAILING_GROUPS} groups: ${failovers.at(-1)} ms`);
      await until('all groups to be well', async () => (await serving()) === GROUPS, 30_000, 500);
      await pause(4000);
    }
    return {
      groups: GROUPS,
      cpu_cores: cores,
      rss_mb: residentMb(controller.pid, 'VmRSS'),
      status_ms: Math.round(median(statusMs)),
      failover_of_100_groups_ms: Math.round(median(failovers)),
    };
  });

function clusterFile(dir: string, socket: string): object {
  const indexes = Array.from({ length: GROUPS }, (_, index) => index);
  return {
    cluster: CLUSTER,
    controller: { socket, state: join(dir, 'state') },
    groups: Object.fromEntries(indexes.map((index) => [groupName(index), groupFile(index)])),
  };
}

function groupFile(index: number): object {
  const node = (number: number): object => ({ address: nodeAddress(index, number), control: CONTROL_PORT });
  return {
    nodes: Object.fromEntries(NODES.map((name, number) => [name, node(number)] as const)),
    app: { port: APP_PORT, probe: { type: 'tcp', interval: '1s' } },
    traffic: [{ type: 'proxy', listen: `${proxyAddress(index)}:${APP_PORT}` }],
    failover: { heartbeat: `${HEARTBEAT_MS}ms`, holdDown: '0s' },
  };
}

/** Kills the apps of many masters at once; milliseconds until the last of the groups serves from its other node. */
async function failAtOnce(stubs: RigProcess, client: ApiClient): Promise<number> {
  const [newest] = await client.events({ limit: 1 });
  const afterId = newest?.id ?? 0;
  stubs.write(`crash ${FAILING_GROUPS}`);
  const done = await until(
    'the failed groups to serve again',
    async () => {
      const events = await client.events({ afterId, limit: 1000 });
      const completed = events.filter(({ rule, phasesMs }) => rule === 'R700' && phasesMs !== null);
      return completed.length >= FAILING_GROUPS && completed;
    },
    30_000,
    100,
  );
  const crashes = [...stubs.output.matchAll(/^crashed (\d+) at (\d+)$/gm)].at(-1);
  return Math.max(...done.map(({ wallMs }) => wallMs)) - Number(crashes?.[2]);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now();
  await work();
  return performance.now() - beganMs;
}

/** Cores that a process keeps busy, on the average of a while. */
async function processorUse(pid: number, windowMs: number): Promise<number> {
  const [ticks, beganMs] = [processorTicks(pid), performance.now()];
  await pause(windowMs);
  const seconds = (performance.now() - beganMs) / 1000;
  return Math.round(((processorTicks(pid) - ticks) / TICKS_PER_SECOND / seconds) * 100) / 100;
}

/** User and system time that a process has used. */
function processorTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}
