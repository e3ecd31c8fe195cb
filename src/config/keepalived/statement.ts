/** Where something stands: for findings that name file and line. */
export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** One statement of a keepalived configuration: a line, or a line with the block behind it. */
export interface Statement {
  readonly place: Place;
  readonly keyword: string;
  readonly args: readonly string[];
  /** What stands between its braces; null if it has none. */
  readonly block: readonly Statement[] | null;
}

/** Something that stops the import: the file is not what keepalived would read. */
export interface SyntaxFault {
  readonly place: Place;
  readonly found: string;
  readonly remedy: string;
}

export function formatPlace({ file, line }: Place): string {
  return `${file}:${line}`;
}

/** The statements with this keyword, in the order of the file. */
export function all(block: readonly Statement[], keyword: string): readonly Statement[] {
  return block.filter((each) => each.keyword === keyword);
}

/** The last statement with one of these keywords: as in keepalived, what is said later counts. */
export function last(block: readonly Statement[], ...keywords: readonly string[]): Statement | null {
  return block.findLast((each) => keywords.includes(each.keyword)) ?? null;
}

/** The first argument of that statement; null if there is none. */
export function argument(block: readonly Statement[], ...keywords: readonly string[]): string | null {
  return last(block, ...keywords)?.args[0] ?? null;
}

/** The lines of a list, like `virtual_ipaddress`, wherever it stands in the block. */
export function listed(block: readonly Statement[], keyword: string): readonly Statement[] {
  return all(block, keyword).flatMap((list) => list.block ?? []);
}
