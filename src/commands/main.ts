import { EXIT, HsctlError } from '../kit/errors.ts';
import { VERSION } from '../kit/version.ts';
import { describeFailure } from './failure.ts';
import { harmless } from './render/harmless.ts';
import { paintFor } from './render/paint.ts';
import { COMMANDS, findCommand, topicCommands, type CommandEntry } from './table.ts';

/**
 * Runs the command line. Sets `process.exitCode` and writes errors to standard error; never rejects.
 * @param argv the words behind `hsctl`
 */
export async function run(argv: readonly string[]): Promise<void> {
  process.stdout.on('error', endWithoutOutput);
  // Node would open a port for debuggers, which any user of this machine could use.
  process.on('SIGUSR1', () => undefined);
  const found = findCommand(argv);
  try {
    if (found === null) return await runWithoutCommand(argv);
    if (asksForHelp(found.rest)) return await showHelp(found.entry);
    const command = await found.entry.load();
    await new command(found.rest).run();
  } catch (error) {
    const debug = process.env['HSCTL_DEBUG'] === '1';
    const failure = describeFailure(error, found?.entry.id ?? '', paintFor(process.stderr, process.env), debug);
    process.stderr.write(harmless(`${failure.lines.join('\n')}\n`));
    process.exitCode = failure.exitCode;
  }
}

/** Nobody reads on (`| head -1`), which is fine, or the disk is full, which is not: either way there is nobody to tell more. */
function endWithoutOutput(error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(
    `hsctl: the output cannot be written: ${error.message}\n  what was asked for may have been done\n`,
  );
  process.exit(EXIT.failed);
}

function asksForHelp(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return words.slice(0, end < 0 ? undefined : end).some((word) => word === '--help' || word === '-h');
}

async function showHelp(entry: CommandEntry): Promise<void> {
  const { renderCommandHelp } = await import('./command-help.ts');
  process.stdout.write(`${await renderCommandHelp(entry)}\n`);
}

async function runWithoutCommand(argv: readonly string[]): Promise<void> {
  const [first = '--help', second] = argv;
  if (first === '--version' || first === '-v' || first === 'version')
    return void process.stdout.write(`hsctl ${VERSION}\n`);
  const { renderOverview } = await import('./overview.ts');
  if (['--help', '-h', 'help'].includes(first)) {
    const asked = findCommand(argv.slice(1));
    if (asked !== null) return showHelp(asked.entry);
    return void process.stdout.write(renderOverview(COMMANDS));
  }
  if (first.startsWith('-')) {
    const hint = 'flags stand behind the command: hsctl COMMAND --flags';
    throw new HsctlError('usage', `there is no command "${first}"`, hint);
  }
  const topic = topicCommands(first);
  if (topic.length > 0 && (second === undefined || asksForHelp([second]))) {
    return void process.stdout.write(renderOverview(topic));
  }
  const { closest } = await import('../config/problem.ts');
  const typed = topic.length > 0 ? `${first} ${second}` : first;
  const meant = closest(
    typed,
    (topic.length > 0 ? topic : COMMANDS).map((command) => command.id),
  );
  throw new HsctlError(
    'usage',
    `there is no command "${typed}"`,
    meant === null ? '"hsctl --help" lists them all' : `did you mean "hsctl ${meant}"?`,
  );
}
