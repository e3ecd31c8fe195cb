import * as Flags from './flags.ts';
import { HsctlError } from '../kit/errors.ts';
import { configured } from './configured.ts';

const DIRECTORY_AND_CLUSTER = '--dir and --cluster';

/** Flags by which the commands on certificates know directory and cluster without a configuration. */
export const certificateFlags = {
  dir: Flags.string({
    helpValue: 'DIR',
    description: 'where the certificates are; default: tls.dir of the configuration',
  }),
};
export const clusterFlag = Flags.string({
  helpValue: 'NAME',
  description: 'name of the cluster; default: that of the configuration',
});
export const daysFlag = Flags.integer(1, 36_500)({ helpValue: 'N', description: 'how long it is good for' });

interface Place {
  readonly dir?: string | undefined;
  readonly config: string;
}

/** Directory of the certificates. @throws HsctlError('usage' or 'config') */
export function certificateDirectory(flags: Place, instead = '--dir'): string {
  if (flags.dir !== undefined) return flags.dir;
  const { tls } = configured(flags.config, instead);
  if (tls !== null) return tls.dir;
  throw new HsctlError('usage', `${flags.config} has no tls.dir`, 'name the directory with --dir');
}

/**
 * Where certificates are made, the cluster that they are for, and the nodes that it has; null if no configuration was read.
 * @throws HsctlError('usage' or 'config')
 */
export function certificatePlace(flags: Place & { readonly cluster?: string | undefined }): {
  readonly dir: string;
  readonly cluster: string;
  readonly nodes: readonly string[] | null;
} {
  const dir = certificateDirectory(flags, DIRECTORY_AND_CLUSTER);
  if (flags.cluster !== undefined) return { dir, cluster: flags.cluster, nodes: null };
  const { cluster, groups } = configured(flags.config, DIRECTORY_AND_CLUSTER);
  return { dir, cluster, nodes: [...new Set(groups.flatMap((group) => group.nodes.map((node) => node.id)))] };
}
