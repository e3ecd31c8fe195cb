import * as Args from './args.ts';
import * as Flags from './flags.ts';
import { diskFiles, readSource } from '../config/keepalived/disk-files.ts';
import { importKeepalived, renderRemark } from '../config/keepalived/import.ts';
import { HsctlError } from '../kit/errors.ts';
import { HsctlCommand, jsonFlag } from './base.ts';
import { nodeAddressFlag, saveConfig, writeFlags } from './new-config.ts';

export class Import extends HsctlCommand {
  static override summary = "Turn a pair's keepalived.conf into a configuration, naming what has no counterpart.";
  static override description =
    'With the files of both machines, or one file and the config-ids of both, addresses and priorities are known; what is not is marked, and "hsctl config check" points at it.';
  static override args = {
    file: Args.string({ required: true, description: 'keepalived.conf of the first node' }),
    other: Args.string({ description: 'that of the second node' }),
  };
  static override flags = {
    ...writeFlags,
    cluster: Flags.string({ helpValue: 'NAME', default: 'imported', description: 'name of the cluster' }),
    address: nodeAddressFlag,
    'config-id': Flags.string({
      multiple: true,
      helpValue: 'ID',
      description: 'whose lines of conditional configuration count: once for each machine',
    }),
    json: jsonFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = this.parse(Import);
    const ids = flags['config-id'] ?? [];
    const paths = args.other === undefined ? [args.file] : [args.file, args.other];
    if (ids.length > 2 || (paths.length === 2 && ids.length === 1)) {
      throw new HsctlError('usage', `${ids.length} config-ids for ${paths.length} files`, 'name one for each machine');
    }
    const count = Math.max(paths.length, ids.length, 1);
    const sources = Array.from({ length: count }, (_, index) => ({
      file: readSource(paths[index] ?? args.file),
      id: ids[index] ?? null,
    }));
    const addresses = Object.fromEntries(flags.address ?? []);
    const found = importKeepalived({ sources, files: diskFiles, cluster: flags.cluster, addresses });
    if (flags.json) return this.printAnswer(found);
    for (const remark of found.remarks) this.printAside(renderRemark(remark));
    const output = saveConfig(flags, found.config);
    if (output === null) return this.print(found.config.trimEnd());
    this.print(`${output}: ${found.groups.length === 1 ? 'group' : 'groups'} ${found.groups.join(', ')}`);
    this.print(`next: hsctl config check --config ${output}, then hsctl cert init`);
  }
}
