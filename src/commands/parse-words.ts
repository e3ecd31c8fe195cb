import { parseArgs } from 'node:util';
import { HsctlError } from '../kit/errors.ts';
import type { Argument } from './args.ts';
import type { BooleanFlag, Flag, OptionFlag } from './flags.ts';
import { UsageFault } from './usage-fault.ts';

export type Flags = Readonly<Record<string, Flag>>;
export type Arguments = Readonly<Record<string, Argument<unknown>>>;
export type FlagValues<Defined extends Flags> = {
  readonly [Name in keyof Defined]: Defined[Name] extends OptionFlag<infer Value> ? Value : boolean;
};
export type ArgumentValues<Defined extends Arguments> = {
  readonly [Name in keyof Defined]: Defined[Name] extends Argument<infer Value> ? Value : never;
};

/**
 * What the words behind a command mean. Node reads their form; oclif's own parser loads its help, terminal colours and
 * spinners, which takes longer than all the rest of most commands, and reads standard input where an argument is left out.
 * @throws UsageFault, and HsctlError('usage') with a remedy of its own
 */
export function parseWords<DefinedFlags extends Flags, DefinedArguments extends Arguments>(
  words: readonly string[],
  flags: DefinedFlags,
  args: DefinedArguments,
): { readonly flags: FlagValues<DefinedFlags>; readonly args: ArgumentValues<DefinedArguments> } {
  const { given, texts } = sort(words, flags);
  for (const [name, { exclusive = [] }] of Object.entries(flags)) {
    const other = given.has(name) ? exclusive.find((each) => given.has(each)) : undefined;
    if (other !== undefined) throw new UsageFault(`--${name} and --${other} cannot stand together`);
  }
  const found = Object.entries(flags).map(([name, flag]) => [name, flagValue(name, flag, given.get(name) ?? [])]);
  const named = Object.entries(args).map(([name, arg], index) => [name, argumentValue(name, arg, texts[index])]);
  const [extra] = texts.slice(named.length);
  if (extra !== undefined) throw new UsageFault(`unexpected argument: ${extra}`);
  return {
    flags: Object.fromEntries(found) as FlagValues<DefinedFlags>,
    args: Object.fromEntries(named) as ArgumentValues<DefinedArguments>,
  };
}

/** The texts that were given for each flag, `true` and `false` for those without a value, and the other words. */
function sort(words: readonly string[], flags: Flags): { given: Map<string, string[]>; texts: string[] } {
  const known = new Map(Object.entries(flags));
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { type, char }]) => [
      name,
      {
        type: type === 'boolean' ? type : ('string' as const),
        multiple: true,
        ...(char !== undefined && { short: char }),
      },
    ]),
  );
  const { tokens } = parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true });
  const given = new Map<string, string[]>();
  const texts: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') texts.push(token.value);
    if (token.kind !== 'option') continue;
    const negated = token.name.startsWith('no-') ? token.name.slice(3) : '';
    const turnedOff = known.get(negated);
    const isOff = turnedOff?.type === 'boolean' && turnedOff.allowNo;
    const name = isOff ? negated : token.name;
    const flag = known.get(name);
    if (flag === undefined) throw new UsageFault(`there is no flag ${token.rawName}`);
    const text = flag.type === 'boolean' ? withoutValue(token, isOff) : withValue(token, known);
    const before = given.get(name) ?? [];
    if (flag.type === 'option' && !flag.multiple && before.length > 0)
      throw new UsageFault(`--${name} is there twice, and can be given once`);
    given.set(name, [...before, text]);
  }
  return { given, texts };
}

interface Token {
  readonly rawName: string;
  readonly index: number;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function withoutValue({ rawName, value }: Token, isOff: boolean): string {
  if (value !== undefined) throw new UsageFault(`${rawName} takes no value`);
  return String(!isOff);
}

function withValue({ rawName, value, inlineValue }: Token, known: ReadonlyMap<string, Flag>): string {
  const isShort = !rawName.startsWith('--');
  const text = isShort && inlineValue ? value?.replace(/^=/, '') : value;
  const isFlag = !inlineValue && isKnownFlag(text, known);
  if (text === undefined || isFlag) throw new UsageFault(`flag ${rawName} expects a value`);
  return text;
}

function isKnownFlag(text: string | undefined, known: ReadonlyMap<string, Flag>): boolean {
  if (text?.startsWith('--')) return text === '--' || known.has(text.slice(2).split('=')[0] ?? '');
  return text !== undefined && [...known.values()].some(({ char }) => text === `-${char}`);
}

function flagValue(name: string, flag: Flag, texts: readonly string[]): unknown {
  if (flag.type === 'boolean') return booleanValue(flag, texts);
  const fromOutside = flag.env === undefined ? undefined : process.env[flag.env];
  return told(`--${name}`, () => flag.value(texts.length === 0 && fromOutside ? [fromOutside] : texts));
}

function booleanValue(flag: BooleanFlag, texts: readonly string[]): boolean {
  const last = texts.at(-1);
  return last === undefined ? flag.default : last === 'true';
}

function argumentValue(name: string, argument: Argument<unknown>, text: string | undefined): unknown {
  if (argument.required && text === undefined)
    throw new UsageFault(`${name.toUpperCase()} is missing: ${argument.description}`);
  return told(name.toUpperCase(), () => argument.value(text));
}

/** Says which word it was that could not be read. */
function told<Value>(what: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof UsageFault) throw new UsageFault(`${what}: ${error.message}`, { cause: error });
    if (!(error instanceof HsctlError)) throw error;
    throw new HsctlError('usage', `${what}: ${error.message}`, error.hint, { cause: error });
  }
}
