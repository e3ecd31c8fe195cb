import { commandOf, inOrder, withArguments } from './commands.ts';
import type { Remarks } from './remarks.ts';
import { last, type Statement } from './statement.ts';
import type { Section } from './track-scripts.ts';

/** The notify scripts of an instance or sync group, as the hooks of a group. */
export function hooksOf(owner: Statement, kind: 'INSTANCE' | 'GROUP', priority: string, remarks: Remarks): Section {
  const block = owner.block ?? [];
  const name = owner.args[0] ?? '';
  const scriptOf = (keyword: string): Statement | null => {
    const found = last(block, keyword);
    if (found !== null && found.args.length > 1)
      remarks.add(
        'omitted',
        found.place,
        `user of ${keyword}`,
        'hooks run as the user of the agent: see User= in the systemd units',
      );
    return found;
  };
  const notify = scriptOf('notify');
  const hook = (keyword: string, state: string): string[] | null => {
    const own = scriptOf(keyword);
    const commands = [
      ...(own === null ? [] : [commandOf(own.args[0] ?? '')]),
      ...(notify === null ? [] : [withArguments(commandOf(notify.args[0] ?? ''), [kind, name, state, priority])]),
    ];
    return commands.length === 0 ? null : inOrder(commands);
  };
  for (const keyword of ['notify_fault', 'notify_stop']) {
    const found = scriptOf(keyword);
    if (found !== null)
      remarks.add(
        'omitted',
        found.place,
        keyword,
        'the demote hook runs in each case in which the node stops being master',
      );
  }
  const promote = hook('notify_master', 'MASTER');
  const demote = hook('notify_backup', 'BACKUP');
  return { ...(promote === null ? {} : { promote }), ...(demote === null ? {} : { demote }) };
}
