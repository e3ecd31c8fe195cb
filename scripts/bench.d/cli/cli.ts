import { join } from 'node:path';
import type { LocalMachine } from '../../../test/rig/machine.ts';
import type { Bench } from '../bench-types.ts';
import { builtPackage } from '../replication/built-package.ts';
import { HsctlDuo } from '../replication/hsctl-duo.ts';
import { median } from '../replication/median.ts';
import { inYard } from '../replication/yard.ts';

const USUAL_RUNS = 20;

/** How long whole commands take as users get them: built, with the compile cache, a pair running behind `status`. */
export const cli: Bench = ({ runs, note }) =>
  inYard(async (machine) => {
    const hsctl = await builtPackage(machine);
    const duo = await HsctlDuo.start(machine, { hsctl });
    const file = ['--config', duo.configFile];
    const commands = {
      status_ms: ['status', ...file],
      help_ms: ['--help'],
      config_check_ms: ['config', 'check', ...file],
    };
    const took: Record<string, number> = {};
    const all = { node_ms: [process.execPath, '-e', '0'], ...withProgram(hsctl, commands) };
    for (const [name, argv] of Object.entries(all)) {
      await once(machine, argv);
      const times: number[] = [];
      for (let count = 0; count < (runs ?? USUAL_RUNS); count++) times.push(await once(machine, argv));
      took[name] = Math.round(median(times));
      note(`${name}: ${took[name]}`);
    }
    await duo.close();
    return { ...took, per_node: ratios(took) };
  });

/** How many times as long as Node takes for nothing: a slow or busy machine is slow for both. */
function ratios({ node_ms: nodeMs = 1, ...commands }: Readonly<Record<string, number>>): Record<string, number> {
  const ratio = (ms: number): number => Math.round((ms / nodeMs) * 10) / 10;
  return Object.fromEntries(Object.entries(commands).map(([name, ms]) => [name.replace(/_ms$/, ''), ratio(ms)]));
}

function withProgram(hsctl: string, commands: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(commands).map(([name, args]) => [name, [hsctl, ...args]]));
}

/** Milliseconds from its start to its end. */
async function once(machine: LocalMachine, argv: readonly string[]): Promise<number> {
  const env = { CACHE_DIRECTORY: join(machine.dir, 'cache') };
  const beganMs = performance.now();
  const command = await machine.spawn(argv, { name: 'command', env });
  const { code } = await command.exited;
  if (code !== 0) throw new Error(`${argv.join(' ')}: exit code ${code}\n${command.tail(10)}`);
  return performance.now() - beganMs;
}
