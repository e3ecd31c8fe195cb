import * as Flags from './flags.ts';
import { userInfo } from 'node:os';
import { SUPPORTED_API_VERSION } from '../api/client.ts';
import { foregroundScheduler, type Scheduler } from '../kit/clock.ts';
import { DEFAULT_CONFIG_PATH } from './controller-socket.ts';
import {
  parseWords,
  type Arguments,
  type ArgumentValues,
  type Flags as FlagSet,
  type FlagValues,
} from './parse-words.ts';
import { harmless, harmlessJson } from './render/harmless.ts';
import { paintFor, type Paint } from './render/paint.ts';

/**
 * What all commands share: the flag that names the configuration, and how they print. Of oclif they have the form of the
 * definitions, and its help where that is asked for; its base class and its parser would load several times as much as
 * most commands need.
 */
export abstract class HsctlCommand {
  static summary: string;
  static description?: string;
  static examples?: string[];
  static args: Arguments = {};
  static flags: FlagSet = {};
  static baseFlags = {
    config: Flags.string({
      char: 'c',
      env: 'HSCTL_CONFIG',
      default: DEFAULT_CONFIG_PATH,
      helpValue: 'FILE',
      helpGroup: 'COMMON',
      description: 'the configuration of the cluster',
    }),
  };

  readonly #words: readonly string[];

  /** `words`: what stands behind the command. */
  constructor(words: readonly string[]) {
    this.#words = words;
  }

  abstract run(): Promise<void>;

  /** Flags and arguments as `options` defines them. @throws UsageFault, HsctlError('usage') */
  protected parse<Own extends FlagSet, Base extends FlagSet, Args extends Arguments>(options: {
    readonly flags: Own;
    readonly baseFlags: Base;
    readonly args: Args;
  }): { readonly flags: FlagValues<Own & Base>; readonly args: ArgumentValues<Args> } {
    return parseWords(this.#words, { ...options.baseFlags, ...options.flags }, options.args);
  }

  /** Clocks and timers of a command in the foreground. */
  protected readonly scheduler: Scheduler = foregroundScheduler;

  protected get paint(): Paint {
    return paintFor(process.stdout, process.env);
  }

  /** Who runs this, for the events: the person behind sudo, if that is known. */
  protected get operator(): string {
    try {
      return process.env['SUDO_USER'] ?? userInfo().username;
    } catch {
      // A user without an entry in the password file, as in containers.
      return `uid ${process.getuid?.()}`;
    }
  }

  protected print(...lines: readonly string[]): void {
    process.stdout.write(harmless(lines.map((line) => `${line}\n`).join('')));
  }

  protected printJson(value: unknown): void {
    this.printJsonText(JSON.stringify(value, null, 2));
  }

  /** Of JSON all is kept, since programs read it. */
  protected printJsonText(json: string): void {
    process.stdout.write(`${harmlessJson(json)}\n`);
  }

  /** JSON of our own, with the version that answers of the API bring along. */
  protected printAnswer(answer: object): void {
    this.printJson({ apiVersion: SUPPORTED_API_VERSION, ...answer });
  }

  /** For progress, so that standard output holds the result only. */
  protected printAside(...lines: readonly string[]): void {
    process.stderr.write(harmless(lines.map((line) => `${line}\n`).join('')));
  }
}

export const jsonFlag = Flags.boolean({ description: 'print JSON, as its schema in the manual says' });
