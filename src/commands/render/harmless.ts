const ESCAPE = String.fromCharCode(27);

/** Characters that do something to a terminal; the first group has those that are meant: our colours, ends of lines and tabs. */
const CONTROLS = new RegExp(`(${ESCAPE}\\[[\\d;]*m|[\\n\\t])|[\\p{Cc}\\p{Cf}\\u2028\\u2029]`, 'gu');

/**
 * Text for a terminal, without what could move its cursor, set its title or hide words: names, output of hooks and messages
 * of servers come from outside.
 */
export function harmless(text: string): string {
  return text.replaceAll(CONTROLS, (_, meant?: string) => meant ?? ' ');
}

/** The same for JSON, which says no less by it. */
export function harmlessJson(text: string): string {
  return text.replaceAll(CONTROLS, (character, meant?: string) => meant ?? escaped(character));
}

/** As JSON writes it; characters beyond the first plane take two. */
function escaped(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
