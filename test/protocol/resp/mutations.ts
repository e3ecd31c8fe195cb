import fc from 'fast-check';

/** One change of an input; places and lengths are fractions of it, so that they fit any length. */
type Mutation =
  | { readonly kind: 'replace' | 'insert'; readonly at: number; readonly byte: number }
  | { readonly kind: 'remove' | 'repeat'; readonly at: number; readonly length: number };

/** Bytes with a meaning in RESP are likelier than others. */
const byte = fc.oneof(fc.constantFrom(...Buffer.from('*$+-:_#,(=%~>|\r\n0159"\'\\ ')), fc.nat(255));
const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constantFrom('replace' as const, 'insert' as const), at: place, byte }),
  fc.record({ kind: fc.constantFrom('remove' as const, 'repeat' as const), at: place, length: fc.nat(12) }),
);

function mutate(input: Uint8Array, change: Mutation): Uint8Array {
  const at = Math.floor(change.at * (input.length + 1));
  const before = input.subarray(0, at);
  switch (change.kind) {
    case 'replace':
      return Buffer.concat([before, Uint8Array.of(change.byte), input.subarray(at + 1)]);
    case 'insert':
      return Buffer.concat([before, Uint8Array.of(change.byte), input.subarray(at)]);
    case 'remove':
      return Buffer.concat([before, input.subarray(at + change.length)]);
    case 'repeat':
      return Buffer.concat([before, input.subarray(at, at + change.length), input.subarray(at)]);
  }
}

/** Inputs made from `seeds` by joining some and changing a few places. */
export function mutated(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.array(fc.constantFrom(...seeds), { minLength: 1, maxLength: 3 }), fc.array(mutation, { maxLength: 4 }))
    .map(([parts, changes]) => changes.reduce(mutate, Buffer.concat(parts)));
}

/** Cuts an input at places given as fractions of its length. */
export function cutAt(input: Uint8Array, fractions: readonly number[]): Uint8Array[] {
  const places = fractions.map((fraction) => Math.floor(fraction * input.length)).toSorted((one, other) => one - other);
  const ends = [...places, input.length];
  return ends.map((end, index) => input.subarray(index === 0 ? 0 : ends[index - 1], end));
}

export const cuts = fc.array(place, { maxLength: 4 });
