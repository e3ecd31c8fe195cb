import type { Arguments } from '../../protocol/resp/arguments.ts';
import { VALUE_LIMIT_BYTES } from '../../protocol/batch/layout.ts';
import type { Command, CommandKind } from './command.ts';

/** A little more than one value of the largest size. */
const TRANSACTION_LIMIT_BYTES = VALUE_LIMIT_BYTES + 4 * 1024 * 1024;
const COMMANDS_LIMIT = 100_000;

/** The commands between MULTI and EXEC. */
export class Transaction {
  readonly commands: { readonly command: Command; readonly args: Arguments }[] = [];
  /** A command was refused, so EXEC will be too. */
  broken = false;
  #bytes = 0;

  /** Bytes of its commands. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps a copy of a command; false if there are too many or they are too large. */
  add(command: Command, args: Arguments): boolean {
    const copy = args.copy();
    this.#bytes += copy.totalBytes;
    if (this.#bytes > TRANSACTION_LIMIT_BYTES || this.commands.length >= COMMANDS_LIMIT) return false;
    this.commands.push({ command, args: copy });
    return true;
  }

  /** What all of it together is. */
  get kind(): CommandKind {
    if (this.commands.some(({ command }) => command.kind === 'write')) return 'write';
    return this.commands.some(({ command }) => command.kind === 'read') ? 'read' : 'other';
  }
}
