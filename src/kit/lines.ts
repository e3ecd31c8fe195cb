import type { Readable } from 'node:stream';

/** Longest line that is kept whole. */
const MAX_LINE_CHARACTERS = 8192;

/** Calls `onLine` for each line of a text stream, without its end; a last line without an end counts. Null reads nothing. */
export function readLines(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream === null) return;
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
    while (rest.length > MAX_LINE_CHARACTERS) {
      onLine(rest.slice(0, MAX_LINE_CHARACTERS));
      rest = rest.slice(MAX_LINE_CHARACTERS);
    }
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}
