import type { Arguments } from '../../protocol/resp/arguments.ts';
import type { Command } from './command.ts';
import type { Session } from './session.ts';

/** Why commands are not taken, in Redis' words. */

const QUOTED_LIMIT = 128;

/** As C prints it: up to the first zero byte. */
function printed(text: string, limit: number): string {
  const zero = text.indexOf('\0');
  return text.slice(0, Math.min(limit, zero < 0 ? limit : zero));
}

export function unknownCommand(args: Arguments): string {
  let rest = '';
  for (let index = 1; index < args.count && rest.length < QUOTED_LIMIT; index++) {
    rest += `'${printed(args.text(index, QUOTED_LIMIT), QUOTED_LIMIT - rest.length)}' `;
  }
  return `ERR unknown command '${printed(args.text(0, QUOTED_LIMIT), QUOTED_LIMIT)}', with args beginning with: ${rest}`;
}

export function unknownSubcommand(command: Command, args: Arguments): string {
  return `ERR unknown subcommand '${printed(args.text(1, QUOTED_LIMIT), QUOTED_LIMIT)}'. Try ${command.name.toUpperCase()} HELP.`;
}

export function wrongNumber(command: Command): string {
  return `ERR wrong number of arguments for '${command.name}' command`;
}

/** Why a session may not use a command in the state in which it is; null if it may. */
export function obstacle(command: Command, session: Session, version: 2 | 3): string | null {
  if (!session.authenticated && !command.traits.has('beforeAuth')) return 'NOAUTH Authentication required.';
  if (session.channels.size > 0 && version === 2 && !command.traits.has('subscribed')) {
    return `ERR Can't execute '${command.name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`;
  }
  if (session.transaction !== null && command.traits.has('noMulti')) {
    return 'ERR Command not allowed inside a transaction';
  }
  return null;
}
