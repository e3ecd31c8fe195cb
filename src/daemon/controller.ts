import { join } from 'node:path';
import { ApiServer } from '../api/server.ts';
import type { Door } from '../api/door.ts';
import { socketDoor } from '../api/socket-door.ts';
import { tlsDoor } from '../api/tls-door.ts';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { HsctlError } from '../kit/errors.ts';
import { systemScheduler } from '../kit/clock.ts';
import type { Logger } from '../kit/logger.ts';
import { systemRandom, uniqueId } from '../kit/random.ts';
import { VERSION } from '../kit/version.ts';
import { SqliteRecords } from '../records/sqlite-records.ts';
import { makeLogger } from '../telemetry/logger.ts';
import { GroupRuntime } from './controller/group-runtime.ts';
import { RunningController } from './controller/service.ts';
import { WatchedRecords } from './controller/watched-records.ts';
import type { LinkSecurity } from '../transport/security.ts';
import { followCredentials, securityFor } from './security.ts';
import { groupSettings } from './settings.ts';
import { notifySystemd } from './systemd.ts';

const RECORDS_FILE = 'controller.db';

/**
 * The controller: one process for all groups of the configuration. Resolves when it was told to stop and has stopped;
 * leases, traffic and the pair's replication go on without it.
 * @throws HsctlError('config') for a wrong file, ('disk') for its state, ('failed') for its socket
 */
export async function runController(configPath: string, signal: AbortSignal): Promise<void> {
  const { config, warnings } = loadConfig(configPath);
  const logger = makeLogger({ name: 'controller' });
  for (const warning of warnings) logger.warn(warning);
  const records = new WatchedRecords(new SqliteRecords(join(config.controller.state, RECORDS_FILE)));
  try {
    await runWith(config, configPath, records, logger, signal);
  } finally {
    records.close();
  }
}

async function runWith(
  config: Config,
  configPath: string,
  records: WatchedRecords,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const scheduler = systemScheduler;
  const known = records.load();
  const security = securityFor(config, 'controller');
  const instance = uniqueId();
  const runtimes = config.groups.map(
    (group) =>
      new GroupRuntime({
        config,
        group,
        record: known.get(group.name) ?? null,
        records,
        security,
        instance,
        scheduler,
        random: systemRandom,
        logger: logger.child({ group: group.name }),
      }),
  );
  // Before the first grant: whoever restarts after this has to wait for the longest one.
  const longestMs = Math.max(records.longestGrantMs(), ...config.groups.map((group) => groupSettings(group).grantMs));
  records.saveLongestGrantMs(longestMs);

  const groups = new Map(runtimes.map((runtime) => [runtime.group.name, runtime]));
  const service = new RunningController({ config, configPath, records, groups, scheduler });
  const api = new ApiServer({ service, doors: doorsOf(config, security), logger, version: VERSION });
  await api.open();
  const stopFollowing = followCredentials(security, scheduler, logger);
  const systemd = notifySystemd(scheduler, logger, () => service.status().summary);
  logger.info('the controller runs', {
    version: VERSION,
    groups: config.groups.length,
    socket: config.controller.socket,
  });
  try {
    await Promise.all(runtimes.map((runtime) => runtime.run(signal)));
  } finally {
    systemd.stopping();
    stopFollowing();
    await api.close();
    await systemd.close();
  }
  logger.info('the controller has stopped');
}

/** The socket for this machine; the port, if there is one, for operators elsewhere, who need a certificate. */
function doorsOf(config: Config, security: LinkSecurity): readonly Door[] {
  const { socket, listen } = config.controller;
  const local = socketDoor(socket);
  if (listen === null) return [local];
  if (security.kind === 'tls') return [local, tlsDoor(listen, config.cluster, security.credentials)];
  throw new HsctlError(
    'config',
    'controller.listen: the API leaves the machine under TLS only',
    'add tls.dir, or leave controller.listen out',
  );
}
