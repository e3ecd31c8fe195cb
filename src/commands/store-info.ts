import { describeStore } from '../replication/log/inspect.ts';
import { NodeDisk } from '../replication/log/node-disk.ts';
import { HsctlCommand, jsonFlag } from './base.ts';
import { renderStore } from './render/store.ts';
import { findStore, storeArgs, storeFlags } from './store-directory.ts';

export class StoreInfo extends HsctlCommand {
  static override summary = "Describe an agent's store: where its log ends, its reigns and files.";
  static override description = 'Reads the files and changes nothing; the agent may be running.';
  static override args = storeArgs;
  static override flags = { ...storeFlags, json: jsonFlag };

  async run(): Promise<void> {
    const { args, flags } = this.parse(StoreInfo);
    const store = describeStore(new NodeDisk(), findStore(args, flags));
    if (flags.json) this.printAnswer({ ...store });
    else this.print(...renderStore(store, this.paint));
  }
}
