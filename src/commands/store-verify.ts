import { EXIT } from '../kit/errors.ts';
import { verifyStore } from '../replication/log/inspect.ts';
import { NodeDisk } from '../replication/log/node-disk.ts';
import { HsctlCommand, jsonFlag } from './base.ts';
import { renderVerdict } from './render/store.ts';
import { findStore, storeArgs, storeFlags } from './store-directory.ts';

export class StoreVerify extends HsctlCommand {
  static override summary = "Read an agent's whole store and check every checksum.";
  static override description = 'Changes nothing; the agent may be running. Exits with 1 if anything is damaged.';
  static override args = storeArgs;
  static override flags = { ...storeFlags, json: jsonFlag };

  async run(): Promise<void> {
    const { args, flags } = this.parse(StoreVerify);
    const verdict = verifyStore(new NodeDisk(), findStore(args, flags));
    if (flags.json) this.printAnswer({ ...verdict });
    else this.print(...renderVerdict(verdict, this.paint));
    if (verdict.problems.length > 0) process.exitCode = EXIT.failed;
  }
}
