import { Document, isMap, isPair, isScalar, isSeq, visit, type Node } from 'yaml';

/** Comments for a file that is written for somebody to go on with. Paths are keys joined by dots: `groups.world.nodes`. */
export interface Comments {
  /** On lines of their own at the top. */
  readonly head: readonly string[];
  /** Above a key. */
  readonly above: ReadonlyMap<string, readonly string[]>;
  /** Behind the value of a key that stands on one line. */
  readonly behind: ReadonlyMap<string, string>;
}

/** Sections that stand on one line where they fit. */
const LINE_WIDTH = 100;

/** The text of a configuration file with comments, as a person would write it. */
export function writeConfig(file: object, comments: Comments): string {
  const document = new Document(file, { aliasDuplicateObjects: false });
  visit(document, {
    Collection(_, node, path) {
      const nested = node.items.some((item: unknown) => isCollection(isPair(item) ? item.value : item));
      if (path.length > 2 && !nested && node.toString().length < LINE_WIDTH) node.flow = true;
    },
  });
  for (const [path, lines] of comments.above) {
    const { key, first } = keyAt(document, path.split('.'));
    if (key === null) continue;
    key.commentBefore = lines.map((line) => ` ${line}`).join('\n');
    key.spaceBefore = !first;
  }
  for (const [path, comment] of comments.behind) {
    const value = document.getIn(path.split('.'), true) as Node | undefined;
    if (value !== undefined) value.comment = ` ${comment}`;
  }
  const head = comments.head.map((line) => (line === '' ? '#' : `# ${line}`)).join('\n');
  return `${head}\n\n${document.toString({ lineWidth: 0, flowCollectionPadding: true })}`;
}

function isCollection(value: unknown): boolean {
  return isMap(value) || isSeq(value);
}

/** The key that the path leads to, and whether it is the first of its section. */
function keyAt(document: Document, path: readonly string[]): { readonly key: Node | null; readonly first: boolean } {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(parent)) return { key: null, first: false };
  const index = parent.items.findIndex(({ key }) => isScalar(key) && key.value === path.at(-1));
  const key = parent.items[index]?.key;
  return { key: isScalar(key) ? key : null, first: index === 0 };
}
