/** A log line for people: `10:31:07.250 warn  agent world/a link lost peer=10.0.0.12 silent=600ms`. */

const COLOURS: Readonly<Record<string, string>> = { debug: '\x1b[2m', warn: '\x1b[33m', error: '\x1b[31m' };
const RESET = '\x1b[0m';

/** Makes one readable line, with its end, of one line of JSON. */
export function readableLine(json: string, colours: boolean): string {
  const { time, level, message, name, group, node, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const clock = String(time).slice(11, 23);
  const subject = [group, node].filter((part) => part !== undefined).map(shown);
  const values = Object.entries(fields).map(([key, value]) => `${key}=${shown(value)}`);
  const colour = colours ? (COLOURS[String(level)] ?? '') : '';
  const text = [
    clock,
    String(level).padEnd(5),
    name === undefined ? '' : shown(name),
    subject.join('/'),
    plain(String(message)),
    ...values,
  ];
  const line = text.filter((part) => part !== '').join(' ');
  return colour === '' ? `${line}\n` : `${colour}${line}${RESET}\n`;
}

function shown(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return plain(value);
  const said = typeof value === 'object' && value !== null && 'message' in value ? value.message : value;
  return plain(JSON.stringify(said));
}

/** Without control characters: what came from outside must not move a terminal's cursor or feign a second line. */
function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
}
