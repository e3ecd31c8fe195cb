import type { GroupConfig, NodeConfig } from '../../src/config/config.ts';
import { systemScheduler } from '../../src/kit/clock.ts';
import { run, startProgram } from '../../src/kit/exec.ts';
import { silentLogger } from '../../src/kit/logger.ts';
import type { NodeTrafficDeps } from '../../src/traffic/deps.ts';

/** A group of two nodes, of which drivers need the name, addresses and ports only. */
export function groupOf(
  addresses: { readonly a: string; readonly b: string },
  ports: { readonly a: number | null; readonly b: number | null },
): GroupConfig {
  const node = (id: 'a' | 'b'): NodeConfig => ({
    id,
    address: addresses[id],
    control: 7401,
    replication: 7402,
    appPort: ports[id],
    socket: `/run/hsctl/${id}.sock`,
    listen: null,
    store: `/var/lib/hsctl/${id}`,
    fence: [],
    watchdog: null,
  });
  const failover = { heartbeatMs: 100 };
  return { name: 'world', nodes: [node('a'), node('b')], failover } as unknown as GroupConfig;
}

/** Programs of this machine, as they are. */
export const realDeps: NodeTrafficDeps = { scheduler: systemScheduler, logger: silentLogger, run, startProgram };

/** The same within a network namespace, or another environment. */
export function depsWithin(prefix: readonly string[], env: Readonly<Record<string, string>> = {}): NodeTrafficDeps {
  return {
    ...realDeps,
    run: (command, options) => run([...prefix, ...command], { ...options, env: { ...env, ...options.env } }),
    startProgram: (command, options) =>
      startProgram([...prefix, ...command], { ...options, env: { ...env, ...options?.env } }),
  };
}
