import { Resolver } from 'node:dns/promises';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../../rig/free-ports.ts';
import { LocalServer } from '../local-server.ts';

export const ZONE = 'example.test';
export const NAME = `world.${ZONE}`;
const SECRET = Buffer.alloc(32, 7).toString('base64');

/** The servers that Debian has which take updates: how each is configured and started. */
const KINDS = {
  knot: {
    configuration: (dir: string, port: number) => `
server:
    rundir: ${dir}
    listen: 127.0.0.1@${port}
    tcp-workers: 1
    udp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: ${dir}/database
    journal-db-max-size: 64M
    kasp-db-max-size: 64M
    timer-db-max-size: 64M
    catalog-db-max-size: 64M
key:
  - id: hsctl
    algorithm: hmac-sha256
    secret: ${SECRET}
  - id: reader
    algorithm: hmac-sha256
    secret: ${SECRET}
acl:
  - id: ours
    key: hsctl
    action: [query, update]
  - id: theirs
    key: reader
    action: query
zone:
  - domain: ${ZONE}
    storage: ${dir}
    file: zone
    acl: [ours, theirs]
`,
    command: (file: string) => ['knotd', '-c', file],
    ready: /server started/,
  },
  bind: {
    configuration: (dir: string, port: number) => `
options {
  directory "${dir}";
  listen-on port ${port} { 127.0.0.1; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  recursion no;
};
controls { };
key "hsctl" { algorithm hmac-sha256; secret "${SECRET}"; };
key "reader" { algorithm hmac-sha256; secret "${SECRET}"; };
zone "${ZONE}" { type primary; file "${dir}/zone"; update-policy { grant hsctl name ${NAME}. ANY; }; };
zone "secondary.test" { type secondary; primaries { 127.0.0.1 port 9; }; file "${dir}/secondary"; };
`,
    command: (file: string) => ['named', '-g', '-n', '1', '-c', file],
    ready: / running$/m,
  },
} as const;
export type NameServerKind = keyof typeof KINDS;

/** A primary name server of Debian's on loopback, with a zone that takes updates by the key `hsctl`. */
export class NameServer {
  readonly port: number;
  readonly #server: LocalServer;
  readonly #resolver: Resolver;

  private constructor(server: LocalServer, port: number) {
    this.#server = server;
    this.port = port;
    this.#resolver = new Resolver();
    this.#resolver.setServers([`127.0.0.1:${port}`]);
  }

  static async start(kind: NameServerKind): Promise<NameServer> {
    const server = new LocalServer();
    const [port = 0] = await freePorts(1);
    const { configuration, command, ready } = KINDS[kind];
    const { folder } = server;
    folder.write(
      'zone',
      `$ORIGIN ${ZONE}.\n$TTL 60\n@ SOA ns admin 1 60 60 60 60\n@ NS ns\nns A 127.0.0.1\nother A 127.0.0.99\n`,
    );
    mkdirSync(join(folder.path, 'database'));
    folder.write('conf', configuration(folder.path, port));
    for (const name of ['hsctl', 'reader', 'stranger']) {
      folder.write(`${name}.key`, `key "${name}" { algorithm hmac-sha256; secret "${SECRET}"; };\n`);
    }
    folder.write(
      'forged.key',
      `key "hsctl" { algorithm hmac-sha256; secret "${Buffer.alloc(32, 8).toString('base64')}"; };\n`,
    );
    await server.start(command(join(folder.path, 'conf')), ready);
    return new NameServer(server, port);
  }

  /** Path of a key file: `hsctl` may change the name, `reader` only ask, `stranger` is unknown, `forged` has another secret. */
  key(name: 'hsctl' | 'reader' | 'stranger' | 'forged'): string {
    return join(this.#server.folder.path, `${name}.key`);
  }

  /** Changes the name as an operator does, by the program that everybody uses. */
  async update(...lines: readonly string[]): Promise<void> {
    const input = [`server 127.0.0.1 ${this.port}`, `zone ${ZONE}`, ...lines, 'send', ''].join('\n');
    await this.#server.run(['nsupdate', '-k', this.key('hsctl')], input);
  }

  /** Addresses of the name, with their times to live. */
  async lookUp(family: 4 | 6): Promise<readonly { readonly address: string; readonly ttl: number }[]> {
    try {
      const resolver = this.#resolver;
      return family === 4 ? await resolver.resolve4(NAME, { ttl: true }) : await resolver.resolve6(NAME, { ttl: true });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
      throw error;
    }
  }

  /** Rises with each change of the zone. */
  async serial(): Promise<number> {
    return (await this.#resolver.resolveSoa(ZONE)).serial;
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}
