import * as Args from './args.ts';
import * as Flags from './flags.ts';
import { existsSync } from 'node:fs';
import { HsctlError } from '../kit/errors.ts';
import { configured } from './configured.ts';

/** Arguments and flags by which the commands on stores name one. */
export const storeArgs = {
  group: Args.string({ description: 'the group; may be left out where the configuration has one' }),
  node: Args.string({ description: 'the node; default: the one whose store is on this machine' }),
};
export const storeFlags = {
  dir: Flags.string({ helpValue: 'DIR', description: 'the directory of the store itself; no configuration is read' }),
};

/**
 * Directory of the store that is meant: `--dir`, or that of a group and node in the configuration.
 * @throws HsctlError('usage' or 'config')
 */
export function findStore(
  args: { readonly group?: string | undefined; readonly node?: string | undefined },
  flags: { readonly dir?: string | undefined; readonly config: string },
): string {
  if (flags.dir !== undefined) return flags.dir;
  const { groups } = configured(flags.config, '--dir');
  const [first, ...others] = groups;
  const alone = others.length === 0 ? first : undefined;
  const named = groups.find((group) => group.name === args.group);
  const group = named ?? alone;
  if (group === undefined) {
    const names = groups.map((each) => each.name).join(', ');
    const what = args.group === undefined ? 'which group?' : `there is no group ${args.group}`;
    throw new HsctlError('usage', what, `the groups are: ${names}`);
  }
  const id = args.node ?? (named === undefined ? args.group : undefined);
  const nodes = group.nodes.map((node) => node.id).join(', ');
  if (id !== undefined) {
    const node = group.nodes.find((each) => each.id === id);
    if (node !== undefined) return node.store;
    throw new HsctlError('usage', `group ${group.name} has no node ${id}`, `its nodes are: ${nodes}`);
  }
  const here = [...new Set(group.nodes.map((node) => node.store))].filter((store) => existsSync(store));
  const [only] = here;
  if (only !== undefined && here.length === 1) return only;
  const what = here.length === 0 ? `no store of group ${group.name} is on this machine` : 'which node?';
  throw new HsctlError('usage', what, `name one of ${nodes}, or a directory with --dir`);
}
