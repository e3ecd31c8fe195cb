import { styleText } from 'node:util';

export type Style = 'plain' | 'bold' | 'dim' | 'good' | 'poor' | 'bad';

/** Text as it goes to the output, in a style if that is a terminal. */
export type Paint = (style: Style, text: string) => string;

/** For pipes, files and tests. */
export const noPaint: Paint = (_style, text) => text;

const CODES = { bold: ['bold'], dim: ['dim'], good: ['green'], poor: ['yellow'], bad: ['bold', 'red'] } as const;

/** Colours only on a terminal that can show them; `NO_COLOR` (any value) and `TERM=dumb` turn them off, `FORCE_COLOR` on. */
export function paintFor(stream: { readonly isTTY?: boolean }, environment: NodeJS.ProcessEnv): Paint {
  const forced = environment['FORCE_COLOR'];
  if (forced === undefined || forced === '0') {
    if (stream.isTTY !== true || forced === '0') return noPaint;
    if ((environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb') return noPaint;
  }
  return (style, text) =>
    style === 'plain' || text === '' ? text : styleText([...CODES[style]], text, { validateStream: false });
}
