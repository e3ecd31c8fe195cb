import type { Interfaces } from '@oclif/core';
import { parseDuration } from '../kit/units.ts';
import { UsageFault } from './usage-fault.ts';

/**
 * Flags of commands. A definition says what is read, and what help shows of it; its fields are called as oclif's are, which
 * renders the help.
 */

interface Shown {
  readonly description?: string;
  readonly helpValue?: string;
  readonly helpGroup?: string;
  /** The letter for `-x`. */
  readonly char?: Interfaces.AlphabetLowercase;
  /** Flags that may not stand beside this one. */
  readonly exclusive?: readonly string[];
}

export interface BooleanFlag extends Shown {
  readonly type: 'boolean';
  /** Whether there is `--no-x`. */
  readonly allowNo: boolean;
  readonly default: boolean;
}

export interface OptionFlag<Value> extends Shown {
  readonly type: 'option';
  /** A variable of the environment that stands for it. */
  readonly env?: string;
  readonly options?: readonly string[];
  readonly multiple?: boolean;
  readonly default?: unknown;
  /** What the texts mean that were given for it, none if it was not given. @throws UsageFault, HsctlError */
  value(texts: readonly string[]): Value;
}

export type Flag = BooleanFlag | OptionFlag<unknown>;

interface Options<Value> extends Shown {
  readonly env?: string;
  readonly options?: readonly string[];
  readonly multiple?: boolean;
  readonly default?: Value;
}

type Given<Chosen, Value> = Chosen extends { readonly multiple: true }
  ? readonly Value[] | undefined
  : Chosen extends { readonly default: Value }
    ? Value
    : Value | undefined;

export function boolean(options: Shown & { readonly allowNo?: boolean; readonly default?: boolean }): BooleanFlag {
  return { allowNo: false, default: false, ...options, type: 'boolean' };
}

/** A kind of flag, whose text `read` turns into a value. */
export function custom<Value>(read: (text: string) => Value, usual: Shown = {}) {
  return <const Chosen extends Options<Value>>(options: Chosen): OptionFlag<Given<Chosen, Value>> => ({
    ...usual,
    ...options,
    type: 'option',
    value: (texts) => {
      const values = texts.map((text) => read(oneOf(options.options, text)));
      return (options.multiple && texts.length > 0 ? values : (values[0] ?? options.default)) as Given<Chosen, Value>;
    },
  });
}

export const string = custom((text) => text);

/** A whole number of a range, which comes first: `integer(1, 10)({ ... })`. */
export function integer(min: number, max: number) {
  return custom((text) => {
    const value = /^-?\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    throw new UsageFault(`"${text}" is not a whole number from ${min} to ${max}`);
  });
}

/** A duration with a unit; gives milliseconds. */
export const duration = custom(parseDuration, { helpValue: 'TIME' });

/** The text, if it is one of these. @throws UsageFault */
export function oneOf(options: readonly string[] | undefined, text: string): string {
  if (options === undefined || options.includes(text)) return text;
  throw new UsageFault(`"${text}" is none of ${options.join(', ')}`);
}
