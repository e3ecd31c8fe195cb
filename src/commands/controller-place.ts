import * as Flags from './flags.ts';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ApiClient } from '../api/client.ts';
import type { ApiEndpoint } from '../api/endpoint.ts';
import { HsctlError } from '../kit/errors.ts';
import { HsctlCommand } from './base.ts';
import { controllerSocket } from './controller-socket.ts';

/** Where the controller is, beside the configuration. */
interface ControllerFlags {
  readonly config: string;
  readonly controller?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly ca?: string | undefined;
}

const group = { helpGroup: 'CONTROLLER', helpValue: 'FILE' };

/** A command that asks the controller: the one of this machine, or with --controller one elsewhere by certificate. */
export abstract class ControllerCommand extends HsctlCommand {
  static override baseFlags = {
    ...HsctlCommand.baseFlags,
    controller: Flags.string({
      env: 'HSCTL_CONTROLLER',
      helpGroup: 'CONTROLLER',
      helpValue: 'HOST:PORT',
      description: 'a controller on another machine; default: the socket on this one',
    }),
    cert: Flags.string({
      ...group,
      env: 'HSCTL_CERT',
      description:
        'your certificate; default: operator-NAME.pem, else viewer-NAME.pem, in tls.dir of the configuration',
    }),
    key: Flags.string({ ...group, env: 'HSCTL_KEY', description: 'its key; default: beside it' }),
    ca: Flags.string({ ...group, env: 'HSCTL_CA', description: "the cluster's authority; default: ca.pem beside it" }),
  };

  protected async client(flags: ControllerFlags): Promise<ApiClient> {
    const { controller } = flags;
    const place =
      controller === undefined ? await controllerSocket(flags.config) : await this.#remote(controller, flags);
    return new ApiClient(place, this.scheduler);
  }

  /** Loaded only here: commands on the controller's own machine do not wait for TLS. */
  async #remote(controller: string, flags: ControllerFlags): Promise<ApiEndpoint> {
    const [{ parseEndpoint, ENDPOINT_HINT }, { tlsEndpoint }] = await Promise.all([
      import('../kit/address.ts'),
      import('../api/tls-endpoint.ts'),
    ]);
    const place = parseEndpoint(controller);
    if (place === null) throw new HsctlError('usage', `--controller ${controller}: not an endpoint`, ENDPOINT_HINT);
    const cert = flags.cert ?? (await this.#ownCertificate(flags.config));
    const key = flags.key ?? `${cert.replace(/\.(pem|crt)$/, '')}.key`;
    return tlsEndpoint(place, { cert, key, ca: flags.ca ?? join(dirname(cert), 'ca.pem') });
  }

  async #ownCertificate(configPath: string): Promise<string> {
    const { loadConfig } = await import('../config/load.ts');
    const { tls } = loadConfig(configPath).config;
    const names = ['operator', 'viewer'].map((role) => `${role}-${this.operator}.pem`);
    const files = names.map((name) => join(tls?.dir ?? '.', name));
    const found = files.find((file) => tls !== null && existsSync(file));
    if (found !== undefined) return found;
    const hint = 'name it with --cert, or make one with "hsctl cert issue operator" where the authority is';
    throw new HsctlError('usage', `no certificate of yours: there is no ${files.join(' and no ')}`, hint);
  }
}
