import { isAlias, isMap, isScalar, isSeq, type Alias, type Node, type Scalar } from 'yaml';
import { quote } from './problem.ts';

/**
 * Looks through a parsed document before values are built of it. YAML offers ways to write very little that means very
 * much (aliases of aliases) and to nest without end; both are found here, as are aliases that lead nowhere.
 */

/** Values in the file after its aliases are followed; far more than the largest sensible cluster has. */
const VALUES_LIMIT = 1_000_000;
const DEPTH_LIMIT = 50;
/** More of them are seldom mistakes of their own. */
const REPEATED_LIMIT = 10;

export interface Excess {
  readonly node: Node | null;
  readonly found: string;
  readonly remedy: string;
}

export class Census {
  /** What each alias of the document stands for. */
  readonly targets = new Map<Alias, Node>();
  /** The first keys that stand a second time in their section. */
  readonly repeated: Excess[] = [];
  readonly #anchors = new Map<string, Node>();
  /** Anchored nodes that contain the one being looked at. */
  readonly #open = new Set<Node>();
  #values = 0;

  /** The first thing that is too much or missing in `node`; null if nothing is. */
  excess(node: Node | null, depth = 0): Excess | null {
    this.#values += 1;
    if (this.#values > VALUES_LIMIT) {
      const found = `found more than ${VALUES_LIMIT} values, aliases followed`;
      return { node, found, remedy: 'use fewer aliases' };
    }
    if (depth > DEPTH_LIMIT) {
      return { node, found: `found more than ${DEPTH_LIMIT} levels`, remedy: 'nest sections as in the manual' };
    }
    if (isAlias(node)) return this.#aliased(node, depth);
    if (node?.anchor === undefined) return this.#inside(node, depth);
    this.#anchors.set(node.anchor, node);
    return this.#guarded(node, depth);
  }

  #aliased(alias: Alias, depth: number): Excess | null {
    const target = this.#anchors.get(alias.source);
    if (target === undefined) {
      return {
        node: alias,
        found: `found the alias *${alias.source} without an anchor before it`,
        remedy: 'write the value out',
      };
    }
    if (this.#open.has(target)) {
      return {
        node: alias,
        found: `found the alias *${alias.source} inside its own anchor`,
        remedy: 'write the value out',
      };
    }
    this.targets.set(alias, target);
    return this.#guarded(target, depth);
  }

  #guarded(node: Node, depth: number): Excess | null {
    this.#open.add(node);
    const excess = this.#inside(node, depth);
    this.#open.delete(node);
    return excess;
  }

  #inside(node: Node | null, depth: number): Excess | null {
    let inner: unknown[] = isSeq(node) ? node.items : [];
    if (isMap(node)) {
      const keys = new Set<string>();
      for (const { key } of node.items) {
        if (!isScalar(key))
          return { node, found: 'found a key that is not a word', remedy: 'quote it, if it is meant' };
        this.#noteRepeated(key, keys);
        if (key.value === '__proto__') return { node: key, found: 'found the key "__proto__"', remedy: 'remove it' };
      }
      inner = node.items.map(({ value }) => value);
    }
    for (const each of inner) {
      const excess = this.excess(each as Node | null, depth + 1);
      if (excess !== null) return excess;
    }
    return null;
  }

  #noteRepeated(key: Scalar, keys: Set<string>): void {
    const name = String(key.value);
    const isKnown = this.repeated.length >= REPEATED_LIMIT || this.repeated.some(({ node }) => node === key);
    if (keys.has(name) && !isKnown)
      this.repeated.push({
        node: key,
        found: `found the key ${quote(name)} a second time`,
        remedy: 'keep one of them',
      });
    keys.add(name);
  }
}
