import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ProbeTarget } from '../../src/probes/probe.ts';
import { freePorts } from '../rig/free-ports.ts';
import { LocalServer } from '../traffic/local-server.ts';

/** Servers of Debian's, on loopback. Those that refuse to be root run as nobody. */

export const PASSWORD = 'correct horse';

export interface RealServer {
  readonly target: ProbeTarget;
  close(): Promise<void>;
}

function asNobody(server: LocalServer, argv: readonly string[]): readonly string[] {
  if (process.getuid?.() !== 0) return argv;
  execFileSync('chown', ['-R', 'nobody', server.folder.path]);
  return ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', '--', ...argv];
}

async function start(
  prepare: (server: LocalServer, port: number) => Promise<readonly string[]> | readonly string[],
  ready: RegExp,
): Promise<RealServer> {
  const server = new LocalServer();
  const [port = 0] = await freePorts(1);
  const running = await server.start(await prepare(server, port), ready);
  const close = async (): Promise<void> => {
    // It ends what it started itself.
    if (running.running) process.kill(running.pid, 'SIGTERM');
    await running.exited;
    await server.close();
  };
  return { target: { host: '127.0.0.1', port }, close };
}

/** Redis; `options` are of its command line. */
export function startRedis(...options: readonly string[]): Promise<RealServer> {
  const command = (server: LocalServer, port: number): string[] => [
    'redis-server',
    '--bind',
    '127.0.0.1',
    '--port',
    String(port),
    '--save',
    '',
    '--dir',
    server.folder.path,
    ...options,
  ];
  return start(command, /ready to accept connections/i);
}

/** MariaDB with the accounts `watch` (with a password) and `open` (without). */
export function startMariadb(): Promise<RealServer> {
  return start(async (server, port) => {
    const data = join(server.folder.path, 'data');
    mkdirSync(join(data, 'mysql'), { recursive: true });
    const tables = ['mysql_system_tables', 'mysql_performance_tables', 'mysql_system_tables_data'];
    const statements = tables.map((name) => readFileSync(`/usr/share/mysql/${name}.sql`, 'utf8'));
    const common = ['mariadbd', '--no-defaults', `--datadir=${data}`, '--innodb-buffer-pool-size=8M'];
    await server.run(asNobody(server, [...common, '--bootstrap']), ['use mysql;', ...statements].join('\n'));
    server.folder.write(
      'init.sql',
      `create user watch@'127.0.0.1' identified by '${PASSWORD}';\ncreate user open@'127.0.0.1';\n`,
    );
    return asNobody(server, [
      ...common,
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      `--socket=${join(server.folder.path, 'socket')}`,
      `--pid-file=${join(server.folder.path, 'pid')}`,
      `--init-file=${join(server.folder.path, 'init.sql')}`,
      '--skip-name-resolve',
    ]);
  }, /ready for connections/);
}

/** PostgreSQL with the accounts `watch` (SCRAM), `old` (MD5), `open` (no password) and `plain` (password in clear text). */
export function startPostgres(): Promise<RealServer> {
  const programs = dirname(globSync('/usr/lib/postgresql/*/bin/initdb').toSorted().at(-1) ?? '');
  return start(async (server, port) => {
    const data = join(server.folder.path, 'data');
    await server.run(
      asNobody(server, [join(programs, 'initdb'), '-D', data, '-U', 'admin', '-A', 'trust', '--no-sync', '-E', 'UTF8']),
    );
    server.folder.write(
      'data/pg_hba.conf',
      [
        'host all open 127.0.0.1/32 trust',
        'host all old 127.0.0.1/32 md5',
        'host all plain 127.0.0.1/32 password',
        'host all watch 127.0.0.1/32 scram-sha-256',
        '',
      ].join('\n'),
    );
    const statements = [
      `create role watch login password '${PASSWORD}'`,
      `create role plain login password '${PASSWORD}'`,
      'create role open login',
      "set password_encryption = 'md5'",
      `create role old login password '${PASSWORD}'`,
      '',
    ];
    const alone = asNobody(server, [join(programs, 'postgres'), '--single', '-D', data, 'postgres']);
    await server.run(alone, statements.join('\n'));
    const settings = { listen_addresses: '127.0.0.1', port, unix_socket_directories: server.folder.path, fsync: 'off' };
    const options = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
    return asNobody(server, [join(programs, 'postgres'), '-D', data, ...options]);
  }, /ready to accept connections/);
}

/** A mail server: aiosmtpd, which throws away what it gets. */
export function startMailServer(): Promise<RealServer> {
  const command = (_: LocalServer, port: number): string[] => [
    'aiosmtpd',
    '-n',
    '-d',
    '-l',
    `127.0.0.1:${port}`,
    '-c',
    'aiosmtpd.handlers.Sink',
  ];
  return start(command, /Server is listening/);
}
