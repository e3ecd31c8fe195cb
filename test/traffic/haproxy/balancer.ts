import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { freePorts } from '../../rig/free-ports.ts';
import type { RigProcess } from '../../rig/rig-process.ts';
import { until } from '../../rig/until.ts';
import { EchoServer } from '../echo-server.ts';
import { LocalServer } from '../local-server.ts';

/** Connections that the frontend accepts when it is open. */
export const FRONTEND_LIMIT = 150;
export const PROCESS_LIMIT = 180;

/** HAProxy of Debian's on loopback with a frontend `entry` and a backend `world` of the servers `a` and `second`. */
export class Balancer {
  readonly apps: readonly [EchoServer, EchoServer];
  readonly port: number;
  readonly #server: LocalServer;
  #process: RigProcess | null = null;

  private constructor(server: LocalServer, apps: readonly [EchoServer, EchoServer], port: number) {
    this.#server = server;
    this.apps = apps;
    this.port = port;
  }

  /** `serverOptions`: what stands behind both servers in the file. */
  static async start(serverOptions = 'disabled'): Promise<Balancer> {
    const server = new LocalServer();
    const apps = [await new EchoServer('a').listen(), await new EchoServer('b').listen()] as const;
    const [port = 0] = await freePorts(1);
    const balancer = new Balancer(server, apps, port);
    server.folder.write(
      'haproxy.cfg',
      `global
  stats socket ${balancer.socket()} mode 600 level admin
  stats socket ${balancer.socket('operator')} mode 600 level operator
  maxconn ${PROCESS_LIMIT}
defaults
  mode tcp
  timeout connect 5s
  timeout client 1m
  timeout server 1m
frontend entry
  bind 127.0.0.1:${port}
  maxconn ${FRONTEND_LIMIT}
  default_backend world
backend world
  server a 127.0.0.1:${apps[0].port} ${serverOptions}
  server second 127.0.0.1:${apps[1].port} ${serverOptions}
`,
    );
    await balancer.#start();
    return balancer;
  }

  /** The socket of the runtime API with some level. */
  socket(level: 'admin' | 'operator' = 'admin'): string {
    return join(this.#server.folder.path, `${level}.sock`);
  }

  /** What it answers on its runtime API, as to an operator with socat. */
  async ask(command: string): Promise<string> {
    const socket = connect(this.socket());
    socket.write(`${command}\n`);
    return text(socket);
  }

  /** Administrative state of both servers and the limit of the frontend. */
  async state(): Promise<string> {
    const servers = await this.ask('show servers state world');
    const modes = servers
      .split('\n')
      .filter((line) => /^\d+ /.test(line))
      .map((line) => line.split(' ').slice(3, 8).join(' '));
    const [, frontend = ''] = (await this.ask('show stat entry 1 -1')).split('\n');
    return [...modes, frontend.split(',')[6]].join('\n');
  }

  /** Ends it, and starts it as its file has it. */
  async restart(): Promise<void> {
    await this.#process?.kill();
    await this.#start();
  }

  async close(): Promise<void> {
    await this.#server.close();
    await Promise.all(this.apps.map((app) => app.close()));
  }

  async #start(): Promise<void> {
    const started = await this.#server.start(['haproxy', '-db', '-f', join(this.#server.folder.path, 'haproxy.cfg')]);
    this.#process = started;
    await until('haproxy to answer', async () => {
      if (!started.running) throw new Error(started.tail(20));
      return (await this.ask('show info').catch(() => '')).includes(`Pid: ${started.pid}\n`);
    });
  }
}
