import * as Flags from './flags.ts';
import { basename } from 'node:path';
import { HsctlError } from '../kit/errors.ts';
import { OP } from '../protocol/batch/layout.ts';
import { archivedRecords, listArchives } from '../replication/log/inspect.ts';
import { NodeDisk } from '../replication/log/node-disk.ts';
import { HsctlCommand, jsonFlag } from './base.ts';
import { recordLine, renderArchives } from './render/store.ts';
import { findStore, storeArgs, storeFlags } from './store-directory.ts';

export class StoreArchives extends HsctlCommand {
  static override summary = 'List what was cut off the log of a node, or print the records in it.';
  static override description =
    'A node that comes back with records that its master lacks cuts them off and keeps them here. With --records they are printed as JSON lines, to be looked at or written again.';
  static override args = storeArgs;
  static override flags = {
    ...storeFlags,
    records: Flags.string({ helpValue: 'NAME', description: 'print the records of this archive', exclusive: ['json'] }),
    json: jsonFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = this.parse(StoreArchives);
    const disk = new NodeDisk();
    const archives = listArchives(disk, findStore(args, flags));
    if (flags.records === undefined) {
      if (flags.json) this.printAnswer({ archives });
      else this.print(...renderArchives(archives, this.paint));
      return;
    }
    const archive = archives.find(({ path }) => basename(path) === flags.records);
    if (archive === undefined) {
      const names = archives.map(({ path }) => basename(path)).join(', ');
      throw new HsctlError('usage', `there is no archive ${flags.records}`, `there are: ${names || 'none'}`);
    }
    for (const record of archivedRecords(disk, archive.path)) {
      const line = recordLine(record, OP);
      if (line !== null) this.printJsonText(line);
    }
    const [problem] = archive.problems;
    if (problem === undefined) return;
    throw new HsctlError(
      'disk',
      `${problem.file}, byte ${problem.offset}: ${problem.what}`,
      'the records before it are all that can be read',
    );
  }
}
