import * as Flags from '@oclif/core/flags';
import { loadConfig } from '../config/load.ts';
import { HsctlError } from '../kit/errors.ts';

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
export const daysFlag = Flags.integer({ helpValue: 'N', min: 1, max: 36_500, description: 'how long it is good for' });

/** Directory of the certificates. @throws HsctlError('usage' or 'config') */
export function certificateDirectory(flags: { readonly dir?: string | undefined; readonly config: string }): string {
  if (flags.dir !== undefined) return flags.dir;
  const { tls } = loadConfig(flags.config).config;
  if (tls !== null) return tls.dir;
  throw new HsctlError('usage', `${flags.config} has no tls.dir`, 'name the directory with --dir');
}

/** The cluster that certificates are for, and the nodes that it has; null if no configuration was read. */
export function clusterOf(flags: { readonly cluster?: string | undefined; readonly config: string }): {
  readonly cluster: string;
  readonly nodes: readonly string[] | null;
} {
  if (flags.cluster !== undefined) return { cluster: flags.cluster, nodes: null };
  const { cluster, groups } = loadConfig(flags.config).config;
  return { cluster, nodes: [...new Set(groups.flatMap((group) => group.nodes.map((node) => node.id)))] };
}
