import { freePorts } from '../../rig/free-ports.ts';
import { EchoServer } from '../echo-server.ts';
import { LocalServer } from '../local-server.ts';
import { Balancer } from './balancer.ts';

/** HAProxy on loopback between two servers that say their names. */
export class LocalBalancer {
  readonly balancer: Balancer;
  readonly apps: readonly [EchoServer, EchoServer];
  readonly #server: LocalServer;

  private constructor(balancer: Balancer, apps: readonly [EchoServer, EchoServer], server: LocalServer) {
    this.balancer = balancer;
    this.apps = apps;
    this.#server = server;
  }

  /** `serverOptions`: as `Balancer.start` has it. */
  static async start(serverOptions?: string): Promise<LocalBalancer> {
    const server = new LocalServer();
    const apps = [await new EchoServer('a').listen(), await new EchoServer('b').listen()] as const;
    const [port = 0] = await freePorts(1);
    const place = ({ port: one }: EchoServer) => ({ host: '127.0.0.1', port: one });
    const balancer = await Balancer.start(
      {
        dir: server.folder.path,
        spawn: (argv) => server.start(argv),
        bind: { host: '127.0.0.1', port },
        apps: [place(apps[0]), place(apps[1])],
      },
      serverOptions,
    );
    return new LocalBalancer(balancer, apps, server);
  }

  async close(): Promise<void> {
    await this.#server.close();
    await Promise.all(this.apps.map((app) => app.close()));
  }
}
