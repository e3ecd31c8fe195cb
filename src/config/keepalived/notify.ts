import { commandOf, shellText } from './commands.ts';
import type { Remarks } from './remarks.ts';
import { last, type Statement } from './statement.ts';
import type { Section } from './track-scripts.ts';

/** The notify scripts of an instance or sync group, as the hooks of a group. */
export function hooksOf(owner: Statement, remarks: Remarks): Section {
  const block = owner.block ?? [];
  const scriptOf = (keyword: string): string[] | null => {
    const found = last(block, keyword);
    if (found === null) return null;
    if (found.args.length > 1) {
      const user = 'hooks run as the user of the agent: see User= in the systemd units';
      remarks.add('omitted', found.place, `user of ${keyword}`, user);
    }
    return commandOf(found.args[0] ?? '');
  };
  const promote = scriptOf('notify_master');
  const demote = scriptOf('notify_backup');
  const notify = notifyOf(scriptOf('notify_fault'), scriptOf('notify_stop'), scriptOf('notify'));
  const any = last(block, 'notify');
  if (any !== null && owner.keyword === 'vrrp_sync_group') {
    remarks.add('changed', any.place, 'notify of a sync group', 'its first argument is INSTANCE, not GROUP');
  }
  return {
    ...(promote === null ? {} : { promote }),
    ...(demote === null ? {} : { demote }),
    ...(notify === null ? {} : { notify }),
  };
}

/** One program for all of it, which hsctl calls with keepalived's arguments. */
function notifyOf(fault: string[] | null, stop: string[] | null, notify: string[] | null): string[] | null {
  if (fault === null && stop === null && notify?.[0] !== '/bin/sh') return notify;
  // The first argument behind a shell's script is its $0.
  const states = [
    ...(fault === null ? [] : [`FAULT) ${shellText(fault)} ;;`]),
    ...(stop === null ? [] : [`STOP) ${shellText(stop)} ;;`]),
  ];
  const script = [
    ...(states.length === 0 ? [] : [`case "$2" in ${states.join(' ')} esac`]),
    ...(notify === null ? [] : [`${shellText(notify)} "$0" "$@"`]),
  ];
  return ['/bin/sh', '-c', script.join('; ')];
}
