import { closest } from '../problem.ts';
import { KEYWORDS, type BlockKind, type Fate } from './keywords.ts';
import { formatPlace, type Place, type Statement } from './statement.ts';

/** What an operator should know of one place of the old configuration. */
export interface Remark {
  readonly place: Place;
  /**
   * `changed`: it works, but otherwise than before. `omitted`: it has no counterpart. `gap`: the new file lacks something
   * that nobody but the operator knows.
   */
  readonly kind: 'changed' | 'omitted' | 'gap';
  readonly what: string;
  /** What happens, or what to do, instead. */
  readonly instead: string;
}

/** Gathers remarks, each of them once. */
export class Remarks {
  readonly #all = new Map<string, Remark>();

  add(kind: Remark['kind'], place: Place, what: string, instead: string): void {
    this.#all.set(`${formatPlace(place)} ${what}`, { kind, place, what, instead });
  }

  /** Remarks on all statements of a block that have no counterpart. */
  checkBlock(kind: BlockKind, block: readonly Statement[]): void {
    const fates: Readonly<Record<string, Fate>> = KEYWORDS[kind];
    for (const { keyword, place } of block) {
      const fate = Object.hasOwn(fates, keyword) ? fates[keyword] : undefined;
      if (fate === undefined) this.#addUnknown(kind, keyword, place);
      else if (typeof fate === 'object') this.add('omitted', place, keyword, fate.instead);
    }
  }

  #addUnknown(kind: BlockKind, keyword: string, place: Place): void {
    // Most of them tune keepalived itself.
    if (kind === 'global_defs') return;
    const meant = closest(keyword, Object.keys(KEYWORDS[kind]));
    const question = meant === null ? '' : `did you mean ${meant}? `;
    this.add('omitted', place, keyword, `${question}this keyword is not known here`);
  }

  /** In the order of the files. */
  list(): readonly Remark[] {
    const files = [...new Set([...this.#all.values()].map(({ place }) => place.file))];
    return [...this.#all.values()].toSorted(
      (one, other) =>
        files.indexOf(one.place.file) - files.indexOf(other.place.file) || one.place.line - other.place.line,
    );
  }
}
