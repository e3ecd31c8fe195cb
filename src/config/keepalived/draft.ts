import type { Section } from './track-scripts.ts';
import type { Place } from './statement.ts';

export const NODE_NAMES = ['a', 'b'] as const;
export type NodeName = (typeof NODE_NAMES)[number];

/** A group of the new configuration, in the file's own words. */
export interface GroupDraft {
  readonly name: string;
  /** What it was, for the comment above it. */
  readonly about: string;
  readonly place: Place;
  /** Addresses as far as they are known. */
  readonly addresses: Readonly<Record<NodeName, string | null>>;
  /** Ports of the app, where they differ between the nodes. */
  readonly ports: Readonly<Record<NodeName, number>> | null;
  readonly app: Section;
  readonly traffic: readonly Section[];
  readonly prefer: NodeName;
}

/** Stands for what only the operator knows. It is not valid, so that `config check` points at it. */
export function gap(what: string): string {
  return `FILL IN: ${what}`;
}

/** A name that the new file may have: lower case, a letter first, none of `taken`. */
export function groupName(wanted: string, taken: ReadonlySet<string>): string {
  const plain = wanted
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '');
  const base = (plain === '' ? 'group' : plain).slice(0, 28);
  let name = base;
  for (let number = 2; taken.has(name); number += 1) name = `${base}-${number}`;
  return name;
}
