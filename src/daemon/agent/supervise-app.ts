import { Supervisor, type SupervisorOptions } from '../../agent/app/supervisor.ts';
import { systemScheduler } from '../../kit/clock.ts';
import type { Logger } from '../../kit/logger.ts';
import { systemRandom } from '../../kit/random.ts';
import type { AgentConfig } from './agent-config.ts';

/** Runs the app if the configuration has a command for it; null if something else runs it. */
export function superviseApp(
  live: AgentConfig,
  logger: Logger,
  on: Pick<SupervisorOptions, 'onStart' | 'onExit'>,
): Supervisor | null {
  const { app, name } = live.group;
  const { id, socket, appPort } = live.own;
  if (app.run === null) return null;
  return new Supervisor({
    command: app.run,
    env: { HSCTL_GROUP: name, HSCTL_NODE: id, HSCTL_SOCKET: socket, HSCTL_PORT: String(appPort ?? '') },
    get stopTimeoutMs() {
      return live.group.app.stopTimeoutMs;
    },
    get restart() {
      return live.group.app.restart;
    },
    scheduler: systemScheduler,
    random: systemRandom,
    logger,
    ...on,
  });
}
