import { HsctlError } from '../../kit/errors.ts';
import { Parameters } from './parameters.ts';
import type { Place, SyntaxFault } from './statement.ts';
import { withoutComment } from './words.ts';

/** A line as keepalived would see it: comments gone, parameters put in, conditions decided. */
export interface Line {
  readonly place: Place;
  readonly text: string;
}

export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Where files come from. */
export interface Files {
  /** The files that `pattern` names, seen from the file `from` (null: from where the command runs), in order. */
  find(pattern: string, from: string | null): readonly SourceFile[];
}

/** What stands in the way of reading lines, and what was left out of them. */
export interface LineNotes {
  readonly faults: SyntaxFault[];
  /** Includes without a file. */
  readonly missing: { readonly place: Place; readonly pattern: string }[];
  /** Names of machines that conditional lines are for. */
  readonly machines: Set<string>;
}

const INCLUDE = /^\s*include[rmwba]?\s+(\S+)\s*$/;
const CONDITION = /^\s*@(\^?)([^\s]+)\s+(.*)$/s;
const DEFINITION = /^\s*\$([A-Za-z_]\w*)=(.*)$/s;
const DEPTH_LIMIT = 16;
const LINES_LIMIT = 200_000;

/** Reads a configuration with all that it includes. `machine`: whose conditional lines count; null if it has no name. */
export class LineReader {
  readonly lines: Line[] = [];
  readonly notes: LineNotes = { faults: [], missing: [], machines: new Set() };
  readonly #files: Files;
  readonly #machine: string | null;
  readonly #parameters = new Parameters();

  constructor(files: Files, machine: string | null) {
    this.#files = files;
    this.#machine = machine;
    this.#parameters.define('_INSTANCE', machine ?? 'default');
  }

  /** @throws HsctlError('config') if includes have no end */
  read(file: SourceFile, depth = 0): void {
    if (depth > DEPTH_LIMIT) {
      throw new HsctlError('config', `${file.path}: includes nested ${depth} deep`, 'does the file include itself?');
    }
    this.#parameters.define('_PWD', file.path.includes('/') ? file.path.replace(/\/[^/]*$/, '') || '/' : '.');
    const texts = file.text.split('\n');
    for (let index = 0; index < texts.length; index += 1) {
      const place = { file: file.path, line: index + 1 };
      let text = withoutComment(texts[index] ?? '').trimEnd();
      // A definition over several lines keeps them apart.
      while (text.endsWith('\\') && index + 1 < texts.length) {
        text = `${text.slice(0, -1)}\n${withoutComment(texts[(index += 1)] ?? '').trimEnd()}`;
      }
      const include = INCLUDE.exec(text)?.[1];
      if (include === undefined) this.#take(text, place);
      else this.#include(include, place, file, depth);
    }
  }

  #include(pattern: string, place: Place, file: SourceFile, depth: number): void {
    const found = this.#files.find(pattern, file.path);
    if (found.length === 0) this.notes.missing.push({ place, pattern });
    for (const each of found) this.read(each, depth + 1);
  }

  #take(raw: string, place: Place): void {
    const condition = CONDITION.exec(raw);
    if (condition !== null) {
      const [, not = '', name = '', rest = ''] = condition;
      this.notes.machines.add(name);
      if ((name === this.#machine) === (not === '')) this.#take(rest, place);
      return;
    }
    const definition = DEFINITION.exec(raw);
    if (definition !== null) return this.#parameters.define(definition[1] ?? '', (definition[2] ?? '').trim());
    const text = this.#parameters.substitute(raw);
    if (text === null) return this.#fault(place, 'a parameter that contains itself', 'mend its definition');
    if (/^\s*~(SEQx?|LST)\(/.test(text)) {
      return this.#fault(place, 'a ~SEQ or ~LST block, which is not expanded here', 'write its lines out');
    }
    if (this.lines.length > LINES_LIMIT) {
      throw new HsctlError('config', `${place.file}: more than ${LINES_LIMIT} lines`, 'import a part of it');
    }
    // A value may bring lines of its own, with conditions and definitions.
    const parts = text.split('\n');
    if (text !== raw && (parts.length > 1 || CONDITION.test(text))) for (const part of parts) this.#take(part, place);
    else if (text.trim() !== '') this.lines.push({ place, text: text.replaceAll('\n', ' ') });
  }

  #fault(place: Place, found: string, remedy: string): void {
    this.notes.faults.push({ place, found, remedy });
  }
}
