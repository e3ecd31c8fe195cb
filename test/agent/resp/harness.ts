import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { AppConnection, AppObserver } from '../../../src/agent/resp/app-observer.ts';
import type { NodeView } from '../../../src/agent/resp/node-view.ts';
import { RespService, type RespServiceOptions } from '../../../src/agent/resp/resp-service.ts';
import { systemScheduler } from '../../../src/kit/clock.ts';
import type { LogFields, Logger } from '../../../src/kit/logger.ts';
import type { AgentReport } from '../../../src/model/agent-report.ts';
import { MemoryReplica } from './memory-replica.ts';
import { RawClient } from './raw-client.ts';

/** A directory that is removed after the test. */
export function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'hsctl-resp-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Remembers what the service said of the app. */
export class RecordingObserver implements AppObserver {
  readonly events: string[] = [];
  readonly joined: AppConnection[] = [];
  /** Epoch that HS READY is taken for. */
  epoch = 1;
  #wake: () => void = () => undefined;

  appJoined(connection: AppConnection): void {
    this.joined.push(connection);
    this.#tell(`joined ${connection.appName}`);
  }

  appLeft(connection: AppConnection): void {
    this.#tell(`left ${connection.appName}`);
  }

  appReady(epoch: number): string | null {
    if (epoch !== this.epoch) return `ERR epoch ${epoch} is not the present one`;
    this.#tell(`ready ${epoch}`);
    return null;
  }

  /** Resolves when so many events have come. */
  async seen(count: number): Promise<readonly string[]> {
    while (this.events.length < count) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.events;
  }

  #tell(event: string): void {
    this.events.push(event);
    this.#wake();
  }
}

/** Keeps warnings. */
export class RecordingLogger implements Logger {
  readonly warnings: { readonly message: string; readonly fields: LogFields }[] = [];
  debug(): void {}
  info(): void {}
  warn(message: string, fields: LogFields = {}): void {
    this.warnings.push({ message, fields });
  }
  error(message: string, fields: LogFields = {}): void {
    this.warnings.push({ message, fields });
  }
  child(): Logger {
    return this;
  }
}

export const REPORT: AgentReport = {
  node: 'a',
  instance: 'test',
  version: '0',
  role: 'master',
  epoch: 1,
  renouncedEpoch: 0,
  phase: 'ready',
  trouble: '',
  storeFailed: false,
  certificateEndsWallMs: null,
  configDigest: '',
  connections: null,
  hooks: [],
  assignmentRevision: 1,
  inSync: ['a', 'b'],
  log: { end: { epoch: 1, seq: 0, hash: 0 }, intact: true, aloneTo: 0 },
  confirmedSeq: 0,
  confirmedAlone: false,
  app: { state: 'up', readyEpoch: 1, restarts: 0, detail: '' },
  peer: {
    linked: true,
    silentMs: 1,
    renouncedEpoch: 0,
    grantRunsMs: 0,
    end: { epoch: 1, seq: 0, hash: 0 },
    lagBytes: 0,
    catchUp: null,
  },
  proposal: null,
  divergence: null,
  archives: [],
  addresses: [],
  warnings: [],
};

export interface Harness {
  readonly service: RespService;
  readonly replica: MemoryReplica;
  readonly observer: RecordingObserver;
  readonly logger: RecordingLogger;
  readonly path: string;
  /** Another connection, closed after the test. */
  readonly connect: () => RawClient;
  /** Ends the service, as SIGTERM would. */
  readonly stop: () => Promise<void>;
}

/** Starts a service over a replica in memory; all is gone after the test. */
export async function startService(
  t: TestContext,
  options: Partial<Omit<RespServiceOptions, 'replica'>> & { readonly replica?: MemoryReplica } = {},
): Promise<Harness> {
  const path = options.socket ?? join(temporaryDirectory(t), 'resp.sock');
  const replica = options.replica ?? new MemoryReplica();
  const observer = new RecordingObserver();
  const logger = new RecordingLogger();
  const listening = Promise.withResolvers<void>();
  const node: NodeView = {
    group: 'world',
    node: 'a',
    peer: { node: 'b', host: '127.0.0.1', port: 7402 },
    report: () => REPORT,
    catchUpRate: 100 * 1024 * 1024,
    setCatchUpRate: () => undefined,
  };
  const service = new RespService({
    socket: path,
    listen: null,
    node,
    observer,
    scheduler: systemScheduler,
    ...options,
    replica,
    logger: Object.assign(Object.create(logger) as RecordingLogger, { info: () => listening.resolve() }),
  });
  service.publishRole({ role: 'master', epoch: 1, master: 'a' });
  const ending = new AbortController();
  const running = service.run(ending.signal);
  await Promise.race([listening.promise, running]);
  const clients: RawClient[] = [];
  const stop = async (): Promise<void> => {
    ending.abort();
    await running;
  };
  t.after(async () => {
    for (const client of clients) await client.close();
    await stop();
  });
  const connect = (): RawClient => {
    const client = new RawClient(path);
    clients.push(client);
    return client;
  };
  return { service, replica, observer, logger, path, connect, stop };
}
