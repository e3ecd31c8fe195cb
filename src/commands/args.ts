import { oneOf } from './flags.ts';

/** An argument of a command; its fields are called as oclif's are, which renders the help. */
export interface Argument<Value> {
  readonly description: string;
  readonly required?: boolean;
  readonly options?: readonly string[];
  /** What its text means. @throws UsageFault */
  value(text: string | undefined): Value;
}

interface Options {
  readonly description: string;
  readonly required?: boolean;
  readonly options?: readonly string[];
}

export function string<const Chosen extends Options>(
  options: Chosen,
): Argument<Chosen extends { readonly required: true } ? string : string | undefined> {
  type Value = Chosen extends { readonly required: true } ? string : string | undefined;
  return {
    ...options,
    value: (text) => (text === undefined ? undefined : oneOf(options.options, text)) as Value,
  };
}
