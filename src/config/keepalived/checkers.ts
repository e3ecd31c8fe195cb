import { formatDuration } from '../../kit/units.ts';
import { commandOf } from './commands.ts';
import { CHECKERS, type Checker } from './keywords.ts';
import { milliseconds, wholeNumber } from './machine.ts';
import type { Remarks } from './remarks.ts';
import { all, argument, last, type Statement } from './statement.ts';
import { times, type Section } from './track-scripts.ts';

/** The checkers of a real server, as probes by the controller. */

interface Context {
  readonly checker: Statement;
  readonly block: readonly Statement[];
  /** Where a key may stand besides: the real server, then the virtual one. */
  readonly outer: readonly (readonly Statement[])[];
  readonly remarks: Remarks;
}

const SECOND = 1000;
const DELAY_LOOP_MS = 60 * SECOND;
const CONNECT_TIMEOUT_MS = 5 * SECOND;
/** Further tries after a failure, where the file gives no number, and the time between them. */
const RETRIES: Partial<Record<Checker, number>> = { DNS_CHECK: 3, MISC_CHECK: 0 };
const RETRY_DELAYS_MS: Partial<Record<Checker, number>> = { HTTP_GET: 3 * SECOND, SSL_GET: 3 * SECOND };

export function checkerProbes(
  real: readonly Statement[],
  virtual: readonly Statement[],
  remarks: Remarks,
): readonly Section[] {
  return real.flatMap((checker) => {
    const type = CHECKERS.find((each) => each === checker.keyword);
    if (type === undefined) return [];
    const block = checker.block ?? [];
    remarks.checkBlock(type, block);
    const context = { checker, block, outer: [real, virtual], remarks };
    return probesOf(type, context).map((own) => ({ ...own, ...connection(context), ...timing(type, context) }));
  });
}

function probesOf(type: Checker, context: Context): readonly Section[] {
  const { block } = context;
  switch (type) {
    case 'TCP_CHECK':
      return [{ type: 'tcp' }];
    case 'PING_CHECK':
      return [{ type: 'ping' }];
    case 'HTTP_GET':
    case 'SSL_GET':
      return urlProbes(type, context);
    case 'SMTP_CHECK':
      return [{ type: 'smtp', ...given('helo', argument(block, 'helo_name')) }];
    case 'DNS_CHECK':
      return [dnsProbe(block)];
    case 'UDP_CHECK':
      return [udpProbe(context)];
    case 'MISC_CHECK':
      return [
        {
          type: 'exec',
          command: commandOf(last(block, 'misc_path')?.args.join(' ') ?? ''),
          ...(last(block, 'misc_dynamic') === null ? {} : { exitCodes: 'keepalived' }),
        },
      ];
  }
}

function given(key: string, value: unknown): Section {
  return value === null || value === undefined ? {} : { [key]: value };
}

function inherited({ block, outer }: Context, keyword: string): string | null {
  for (const each of [block, ...outer]) {
    const found = argument(each, keyword);
    if (found !== null) return found;
  }
  return null;
}

function connection({ block, checker }: Context): Section {
  // The script is on the director.
  if (checker.keyword === 'MISC_CHECK') return { from: 'controller' };
  const port = checker.keyword === 'PING_CHECK' ? null : wholeNumber(argument(block, 'connect_port'));
  return { ...given('port', port), ...given('source', argument(block, 'bindto')) };
}

function timing(type: Checker, context: Context): Section {
  const intervalMs = milliseconds(inherited(context, 'delay_loop')) ?? DELAY_LOOP_MS;
  const misc = milliseconds(argument(context.block, 'misc_timeout'));
  const timeoutMs =
    type === 'MISC_CHECK'
      ? (misc ?? intervalMs)
      : (milliseconds(inherited(context, 'connect_timeout')) ?? CONNECT_TIMEOUT_MS);
  const usual = type === 'DNS_CHECK' ? intervalMs : (RETRY_DELAYS_MS[type] ?? SECOND);
  const retryMs = milliseconds(inherited(context, 'delay_before_retry')) ?? usual;
  const retries = wholeNumber(inherited(context, 'retry') ?? inherited(context, 'nb_get_retry')) ?? RETRIES[type] ?? 1;
  const fast = retries > 0 && retryMs >= 20 && retryMs < intervalMs;
  return {
    ...times(intervalMs, timeoutMs, context.checker, context.remarks),
    ...(fast ? { fastInterval: formatDuration(retryMs) } : {}),
    fall: retries + 1,
    rise: 1,
  };
}

function urlProbes(type: 'HTTP_GET' | 'SSL_GET', context: Context): readonly Section[] {
  const urls = all(context.block, 'url');
  const common = { type: type === 'SSL_GET' ? 'https' : 'http' };
  if (urls.length === 0) return [common];
  return urls.map((url) => {
    const block = url.block ?? [];
    context.remarks.checkBlock('url', block);
    const host = argument(block, 'virtualhost') ?? inherited(context, 'virtualhost');
    const digest = argument(block, 'digest');
    return {
      ...common,
      ...given('path', argument(block, 'path')),
      ...given('host', host),
      ...(type === 'SSL_GET' && last(context.block, 'enable_sni') !== null ? given('serverName', host) : {}),
      ...statusOf(block),
      ...given('digest', digest === null ? null : `md5:${digest}`),
      ...textOf(block, context.remarks),
    };
  });
}

function statusOf(block: readonly Statement[]): Section {
  const codes = last(block, 'status_code')?.args ?? [];
  return codes.length === 0 ? {} : { status: codes.map((code) => wholeNumber(code) ?? code) };
}

/** A regular expression without special characters is a text. */
function textOf(block: readonly Statement[], remarks: Remarks): Section {
  const regex = last(block, 'regex');
  if (regex === null) return {};
  const text = regex.args.join(' ');
  if (!/[\\^$.|?*+()[\]{}]/.test(text))
    return { [last(block, 'regex_no_match') === null ? 'contains' : 'lacks']: text };
  remarks.add(
    'omitted',
    regex.place,
    `regex ${text}`,
    'contains and lacks look for plain text: use a probe of type exec',
  );
  return {};
}

function dnsProbe(block: readonly Statement[]): Section {
  return { type: 'dns', name: argument(block, 'name') ?? '.', record: argument(block, 'type') ?? 'SOA' };
}

function udpProbe({ block, remarks }: Context): Section {
  const payload = hexOf(last(block, 'payload'));
  const reply = last(block, 'require_reply');
  const expected = reply?.args.join('') ?? '';
  if (/x/i.test(expected) && reply !== null)
    remarks.add('omitted', reply.place, 'require_reply with unknown digits', 'expect looks for exact bytes');
  return {
    type: 'udp',
    ...given('send', payload),
    ...(expected === '' || /x/i.test(expected) ? {} : given('expect', hexOf(reply))),
    reply: reply === null ? 'optional' : 'required',
  };
}

/** keepalived reads one or two digits a byte, with blanks where it is one. */
function hexOf(statement: Statement | null): string | null {
  const digits = (statement?.args ?? []).flatMap(
    (word) => word.match(/../g)?.concat(word.length % 2 ? [word.slice(-1)] : []) ?? [word],
  );
  return digits.length === 0 ? null : `hex:${digits.map((each) => each.padStart(2, '0')).join('')}`;
}
