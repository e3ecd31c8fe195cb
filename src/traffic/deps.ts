import type { TrafficDriver } from '../controller/ports.ts';
import type { Scheduler } from '../kit/clock.ts';
import { HsctlError, messageOf } from '../kit/errors.ts';
import type { run, startProgram } from '../kit/exec.ts';
import type { Logger } from '../kit/logger.ts';

/** What the drivers need from outside; tests pass programs that run in a network namespace, or fakes. */
export interface TrafficDeps {
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly run: typeof run;
  /** Folder for what has to outlive this process; without one nothing does. */
  readonly state?: string;
}

/** The same for parts that keep a program open. */
export interface NodeTrafficDeps extends TrafficDeps {
  readonly startProgram: typeof startProgram;
}

/** Something that is wrong with the machine for this driver, for `hsctl doctor`. */
export interface Finding {
  readonly what: string;
  /** What would do. */
  readonly hint: string;
}

/** A driver that the controller runs, as this folder makes it. */
export interface DirectorDriver extends TrafficDriver {
  /** What on this machine keeps the driver from doing its work; empty if all is well. Changes nothing. */
  check(): Promise<readonly Finding[]>;
  /**
   * Takes away what the driver made on this machine, when its entry is gone from the configuration; only where there is
   * something that would stay behind. @throws HsctlError with the program's stderr
   */
  remove?(): Promise<void>;
}

/** What a failed attempt says, as a finding. */
export function findingOf(error: unknown): Finding {
  return { what: messageOf(error), hint: error instanceof HsctlError ? error.hint : '' };
}

/** Time limit for a program that talks to the kernel, in milliseconds; they need a few. */
export const TOOL_TIMEOUT_MS = 5000;
