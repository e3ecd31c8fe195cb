import type { LocalMachine } from '../../../test/rig/machine.ts';

/** What every measurement of writes uses: so many connections, keys and bytes a value. */
export const CONNECTIONS = 50;
export const KEYS = 1_000_000;
export const VALUE_BYTES = 100;

export interface Load {
  readonly pipeline: number;
  /** Writes in all. */
  readonly writes: number;
  readonly keys?: number;
}

/** Where a server takes its clients: a port of loopback, or the path of a unix socket. */
export type Server = number | string;

/** SETs of random keys by redis-benchmark: writes per second. */
export async function redisBenchmark(machine: LocalMachine, server: Server, load: Load): Promise<number> {
  const where = typeof server === 'number' ? ['-p', String(server)] : ['-s', server];
  const options = [
    '-c',
    CONNECTIONS,
    '-n',
    load.writes,
    '-P',
    load.pipeline,
    '-r',
    load.keys ?? KEYS,
    '-d',
    VALUE_BYTES,
  ];
  const argv = ['redis-benchmark', ...where, '-t', 'set', '--csv', ...options.map(String)];
  const benchmark = await machine.spawn(argv, { name: 'redis-benchmark' });
  const { code } = await benchmark.exited;
  const [, rate] = /^"SET","([\d.]+)"/m.exec(benchmark.output) ?? [];
  if (code !== 0 || rate === undefined) throw new Error(`redis-benchmark: ${benchmark.tail(5)}`);
  return Number(rate);
}
