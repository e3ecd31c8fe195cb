import { join } from 'node:path';
import { ApiServer } from '../api/server.ts';
import type { Door } from '../api/door.ts';
import { socketDoor } from '../api/socket-door.ts';
import { tlsDoor } from '../api/tls-door.ts';
import type { Config, GroupConfig } from '../config/config.ts';
import { loadConfigAside } from '../config/load-aside.ts';
import { HsctlError, messageOf } from '../kit/errors.ts';
import { systemScheduler } from '../kit/clock.ts';
import { run } from '../kit/exec.ts';
import type { Logger } from '../kit/logger.ts';
import { systemRandom, uniqueId } from '../kit/random.ts';
import { VERSION } from '../kit/version.ts';
import type { GroupRecord } from '../model/group-record.ts';
import { SqliteRecords } from '../records/sqlite-records.ts';
import { makeLogger } from '../telemetry/logger.ts';
import { IpvsSync } from '../traffic/ipvs/sync.ts';
import { GroupRuntime } from './controller/group-runtime.ts';
import { collectOften } from './controller/heap.ts';
import { RecordsCheck } from './controller/records-check.ts';
import { Reloader } from './controller/reloader.ts';
import { RunningGroups } from './controller/running-groups.ts';
import { RunningController } from './controller/service.ts';
import { WatchedRecords } from './controller/watched-records.ts';
import type { LinkSecurity } from '../transport/security.ts';
import { certificateEnd, followCredentials, securityFor } from './security.ts';
import { onHangUp } from './hang-up.ts';
import { groupSettings } from './settings.ts';
import { notifySystemd } from './systemd.ts';

const RECORDS_FILE = 'controller.db';

/**
 * The controller: one process for all groups of the configuration. Resolves when it was told to stop and has stopped;
 * leases, traffic and the pair's replication go on without it.
 * @throws HsctlError('config') for a wrong file, ('disk') for its state, ('failed') for its socket
 */
export async function runController(configPath: string, signal: AbortSignal): Promise<void> {
  collectOften();
  // In a thread, whose memory goes with it: a large file takes more of it than all that the controller does later.
  const { config, warnings } = await loadConfigAside(configPath);
  const logger = makeLogger({ name: 'controller' });
  for (const warning of warnings) logger.warn(warning);
  const records = new WatchedRecords(new SqliteRecords(join(config.controller.state, RECORDS_FILE)), logger);
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
  const makeRuntime = (group: GroupConfig, record: GroupRecord | undefined): GroupRuntime =>
    new GroupRuntime({
      config,
      group,
      record: record ?? null,
      records,
      security,
      instance,
      scheduler,
      random: systemRandom,
      logger: logger.child({ group: group.name }),
    });
  // Before the first grant: whoever restarts after this has to wait for the longest one.
  const longestMs = Math.max(records.longestGrantMs(), ...config.groups.map((group) => groupSettings(group).grantMs));
  records.saveLongestGrantMs(longestMs);

  const groups = new RunningGroups();
  const reloader = new Reloader({
    path: configPath,
    config,
    groups,
    records,
    scheduler,
    logger,
    // A group that comes back goes on from its record.
    makeRuntime: (group) => makeRuntime(group, records.load().get(group.name)),
  });
  const recordsCheck = new RecordsCheck(config.controller.state, records, logger);
  const service = new RunningController({
    config,
    reloader,
    records,
    groups,
    scheduler,
    logger,
    certificateEndsWallMs: () => certificateEnd(security),
    recordsFault: () => recordsCheck.fault,
  });
  const api = new ApiServer({ service, doors: doorsOf(config, security, logger), logger, version: VERSION });
  await api.open();
  const { ipvsSync } = config.controller;
  const sync = ipvsSync === null ? null : new IpvsSync(ipvsSync, { scheduler, logger, run });
  await sync?.become('master');
  for (const group of config.groups) groups.add(makeRuntime(group, known.get(group.name)));
  const hangUp = onHangUp(() => void reloadOnHangUp(reloader, logger));
  const stopFollowing = followCredentials(security, scheduler, logger);
  const stopChecking = recordsCheck.start(scheduler);
  const systemd = notifySystemd(scheduler, logger, () => service.status().summary);
  logger.info('the controller runs', {
    version: VERSION,
    groups: config.groups.length,
    socket: config.controller.socket,
  });
  try {
    await groups.run(signal);
  } finally {
    hangUp();
    systemd.stopping();
    stopFollowing();
    stopChecking();
    await api.close();
    await sync?.become('backup');
    await systemd.close();
  }
  logger.info('the controller has stopped');
}

/** What there is to say goes to the log. */
async function reloadOnHangUp(reloader: Reloader, logger: Logger): Promise<void> {
  try {
    const { changes, restarts, notes } = await reloader.reload({ dryRun: false, force: false, operator: 'SIGHUP' });
    for (const line of [...restarts, ...notes]) logger.warn(`reload: ${line}`);
    if (changes.length === 0) logger.info('reload: nothing has changed');
  } catch (error) {
    logger.error(`the configuration was not reloaded: ${messageOf(error)}`);
  }
}

/** The socket for this machine; the port, if there is one, for operators elsewhere, who need a certificate. */
function doorsOf(config: Config, security: LinkSecurity, logger: Logger): readonly Door[] {
  const { socket, listen } = config.controller;
  const local = socketDoor(socket);
  if (listen === null) return [local];
  if (security.kind === 'tls') {
    const { credentials } = security;
    return [local, tlsDoor({ endpoint: listen, cluster: config.cluster, credentials, clock: systemScheduler, logger })];
  }
  throw new HsctlError(
    'config',
    'controller.listen: the API leaves the machine under TLS only',
    'add tls.dir, or leave controller.listen out',
  );
}
