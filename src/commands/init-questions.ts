import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { PairAnswers } from '../config/new-pair.ts';
import { isHost } from '../kit/address.ts';
import { HsctlError } from '../kit/errors.ts';
import { Answers } from './answers.ts';

/** What the flags said; the rest is asked for. */
export type Given = { readonly [Key in keyof PairAnswers]: string | undefined };

interface Question {
  readonly key: keyof PairAnswers;
  readonly flag: string;
  readonly text: string;
  /** What an empty answer means; null if there has to be one. */
  readonly usual: (known: ReadonlyMap<string, string>) => string | null;
  /** What is wrong with an answer; empty if nothing is. */
  readonly fault: (answer: string) => string;
  /** Whether it matters, by what is known. */
  readonly matters?: (known: ReadonlyMap<string, string>) => boolean;
}

const isName = (answer: string): string =>
  /^[a-z][a-z0-9_-]{0,31}$/.test(answer) ? '' : 'lower-case letters, digits, "-" and "_", a letter first';
const isAddress = (answer: string): string => (isHost(answer) ? '' : 'an address or a host name, like 10.0.0.11');
const isOneOf =
  (...choices: readonly string[]) =>
  (answer: string): string =>
    choices.includes(answer) ? '' : `one of ${choices.join(', ')}`;

const QUESTIONS: readonly Question[] = [
  { key: 'cluster', flag: '--cluster', text: 'Name of the cluster', usual: () => 'main', fault: isName },
  { key: 'group', flag: '--group', text: 'Name of the protected service', usual: () => 'world', fault: isName },
  { key: 'addressA', flag: '--address a=', text: 'Address of node a', usual: ownAddress, fault: isAddress },
  { key: 'addressB', flag: '--address b=', text: 'Address of node b', usual: () => null, fault: isAddress },
  {
    key: 'port',
    flag: '--port',
    text: "The app's port for clients",
    usual: () => null,
    fault: (answer) => (/^\d{1,5}$/.test(answer) && Number(answer) > 0 && Number(answer) < 65_535 ? '' : 'a port'),
  },
  {
    key: 'traffic',
    flag: '--traffic',
    text: 'How clients reach the master: vip, ipvs, nft or proxy',
    usual: () => 'vip',
    fault: isOneOf('vip', 'ipvs', 'nft', 'proxy'),
  },
  {
    key: 'virtual',
    flag: '--virtual',
    text: 'Address for clients (10.0.0.100/32 for vip, with a port for the others)',
    usual: () => null,
    fault: (answer) => (/^\S+$/.test(answer) ? '' : 'an address'),
  },
  {
    key: 'interface',
    flag: '--interface',
    text: 'Network interface of the nodes',
    usual: () => defaultInterface(),
    fault: (answer) => (/^[^\s/:]{1,12}$/.test(answer) ? '' : 'the name of an interface, like eth0'),
    matters: (known) => known.get('traffic') === 'vip',
  },
  {
    key: 'profile',
    flag: '--profile',
    text: 'Profile: fast (one switch), balanced (one data centre) or wan',
    usual: () => 'balanced',
    fault: isOneOf('fast', 'balanced', 'wan'),
  },
];

/**
 * All answers: from the flags, from the person at the terminal or the lines on standard input, or what is usual.
 * @throws HsctlError('usage') if something is missing and nobody is there to ask, or an answer makes no sense
 */
export async function askPair(given: Given): Promise<PairAnswers> {
  const answers = isSomebodyThere(given) ? new Answers(process.stdin, process.stderr) : null;
  const known = new Map<string, string>();
  try {
    for (const question of QUESTIONS) {
      const answer = await answerTo(question, given, known, answers);
      if (answer !== null) known.set(question.key, answer);
    }
  } finally {
    answers?.close();
  }
  const missing = QUESTIONS.filter(({ key }) => !known.has(key)).map(({ flag }) => flag);
  if (missing.length > 0) {
    throw new HsctlError(
      'usage',
      `there is nobody to ask, and these are missing: ${missing.join(', ')}`,
      'give them, or run it on a terminal',
    );
  }
  const text = (key: keyof PairAnswers): string => known.get(key) ?? '';
  return {
    cluster: text('cluster'),
    group: text('group'),
    addressA: text('addressA'),
    addressB: text('addressB'),
    port: Number(text('port')),
    profile: text('profile') as PairAnswers['profile'],
    traffic: text('traffic') as PairAnswers['traffic'],
    virtual: text('virtual'),
    interface: text('interface'),
  };
}

/** A person who sees the questions; or input that is no terminal, which is left alone where nothing is missing. */
function isSomebodyThere(given: Given): boolean {
  if (process.stdin.isTTY) return process.stderr.isTTY;
  return QUESTIONS.some(({ key, usual }) => given[key] === undefined && usual(new Map()) === null);
}

/** Null: there is no answer, and nothing that is usual. */
async function answerTo(
  { key, flag, text, usual, fault, matters }: Question,
  given: Given,
  known: ReadonlyMap<string, string>,
  answers: Answers | null,
): Promise<string | null> {
  const flagged = given[key];
  if (flagged !== undefined) {
    const wrong = fault(flagged);
    if (wrong === '') return flagged;
    throw new HsctlError('usage', `${flag} ${flagged}`, `write ${wrong}`);
  }
  const fallback = usual(known);
  if (matters?.(known) === false) return fallback ?? '';
  if (answers === null) return fallback;
  return ask(answers, `${text}${fallback === null ? '' : ` [${fallback}]`}: `, fallback, fault);
}

/** Asks a person until the answer makes sense; lines from elsewhere have to be right. */
async function ask(
  answers: Answers,
  question: string,
  usual: string | null,
  fault: Question['fault'],
): Promise<string | null> {
  for (;;) {
    const line = await answers.next(question);
    if (line === null && !answers.isAsking) return usual;
    if (line === null) {
      process.stderr.write('\n');
      throw new HsctlError('failed', 'given up', 'nothing was written');
    }
    const answer = line.trim() || (usual ?? '');
    const wrong = fault(answer);
    if (wrong === '') return answer;
    if (!answers.isAsking) throw new HsctlError('usage', `${question}${JSON.stringify(answer)}`, `write ${wrong}`);
    process.stderr.write(`  write ${wrong}\n`);
  }
}

/** The first address of this machine that others may know. */
function ownAddress(): string | null {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? null;
}

/** The interface of the default route. */
function defaultInterface(): string {
  try {
    const routes = readFileSync('/proc/net/route', 'utf8')
      .split('\n')
      .map((line) => line.split('\t'));
    return routes.find(([, destination]) => destination === '00000000')?.[0] ?? 'eth0';
  } catch {
    return 'eth0';
  }
}
