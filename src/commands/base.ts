import type { Interfaces } from '@oclif/core';
import * as Flags from '@oclif/core/flags';
import { parse } from '@oclif/core/parser';
import { userInfo } from 'node:os';
import { SUPPORTED_API_VERSION } from '../api/client.ts';
import { foregroundScheduler, type Scheduler } from '../kit/clock.ts';
import { parseDuration } from '../kit/units.ts';
import { DEFAULT_CONFIG_PATH } from './controller-socket.ts';
import { harmless, harmlessJson } from './render/harmless.ts';
import { paintFor, type Paint } from './render/paint.ts';

type Values = Record<string, unknown>;

/**
 * What all commands share: the flag that names the configuration, and how they print. Of oclif they have the definitions
 * and the parser of flags and arguments, and its help where that is asked for; its own base class would load as much again
 * for what no command here has: plug-ins, hooks, themes.
 */
export abstract class HsctlCommand {
  static summary: string;
  static description?: string;
  static examples?: string[];
  static args: Interfaces.ArgInput = {};
  static flags: Interfaces.FlagInput = {};
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

  /** Flags and arguments as `options` defines them. @throws oclif's own errors for wrong usage */
  protected parse<Flag extends Values, Base extends Values, Argument extends Values>(
    options: Interfaces.Input<Flag, Base, Argument>,
  ): Promise<Interfaces.ParserOutput<Flag, Base, Argument>> {
    const flags = { ...options.baseFlags, ...options.flags } as Interfaces.FlagInput<Flag>;
    return parse<Flag, Base, Argument>([...this.#words], { ...options, flags });
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

/** A flag whose value is a duration with a unit; gives milliseconds. */
export const durationFlag = Flags.custom<number>({
  helpValue: 'TIME',
  parse: async (text) => parseDuration(text),
});

export const jsonFlag = Flags.boolean({ description: 'print JSON, as its schema in the manual says' });
