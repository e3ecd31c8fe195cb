import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { formatEndpoint } from '../../../src/kit/address.ts';
import type { RigProcess } from '../../rig/rig-process.ts';
import { until } from '../../rig/until.ts';

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface BalancerSite {
  /** Folder for its file and sockets. */
  readonly dir: string;
  readonly spawn: (argv: readonly string[]) => Promise<RigProcess>;
  readonly bind: Endpoint;
  /** The apps of nodes a and b. */
  readonly apps: readonly [Endpoint, Endpoint];
}

/** HAProxy of Debian's with a backend `world` of the servers `a` and `second`. */
export class Balancer {
  readonly bind: Endpoint;
  readonly #site: BalancerSite;
  #process: RigProcess | null = null;

  private constructor(site: BalancerSite) {
    this.bind = site.bind;
    this.#site = site;
  }

  /** `serverOptions`: what stands behind both servers in the file. */
  static async start(site: BalancerSite, serverOptions = 'disabled'): Promise<Balancer> {
    const balancer = new Balancer(site);
    const [a, b] = site.apps;
    writeFileSync(
      join(site.dir, 'haproxy.cfg'),
      `global
  stats socket ${balancer.socket()} mode 600 level admin
  stats socket ${balancer.socket('operator')} mode 600 level operator
defaults
  mode tcp
  timeout connect 5s
  timeout client 1m
  timeout server 1m
frontend entry
  bind ${formatEndpoint(site.bind)}
  default_backend world
backend world
  server a ${formatEndpoint(a)} ${serverOptions}
  server second ${formatEndpoint(b)} ${serverOptions}
`,
    );
    await balancer.restart();
    return balancer;
  }

  /** The socket of the runtime API with some level. */
  socket(level: 'admin' | 'operator' = 'admin'): string {
    return join(this.#site.dir, `${level}.sock`);
  }

  /** What it answers on its runtime API, as to an operator with socat. */
  async ask(command: string): Promise<string> {
    const socket = connect(this.socket());
    socket.write(`${command}\n`);
    return text(socket);
  }

  /** Addresses, administrative and operational state and weight of both servers. */
  async state(): Promise<string> {
    const servers = (await this.ask('show servers state world')).split('\n').filter((line) => /^\d+ /.test(line));
    return servers.map((line) => line.split(' ').slice(3, 8).join(' ')).join('\n');
  }

  /** Ends it, and starts it as its file has it. */
  async restart(): Promise<void> {
    await this.#process?.kill();
    const started = await this.#site.spawn(['haproxy', '-db', '-f', join(this.#site.dir, 'haproxy.cfg')]);
    this.#process = started;
    await until('haproxy to answer', async () => {
      if (!started.running) throw new Error(started.tail(20));
      return (await this.ask('show info').catch(() => '')).includes(`Pid: `);
    });
  }
}
