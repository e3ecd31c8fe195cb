import { z } from 'zod';
import { canonicalHost, formatEndpoint } from '../../kit/address.ts';
import { HsctlError } from '../../kit/errors.ts';
import type { NftActual, NftGate } from './plan.ts';

/** Reader of `nft -j list table`. Pure. Only what is needed is looked at; versions of nft differ in the rest. */

const endpoint = z.strictObject({ concat: z.tuple([z.string(), z.number()]) });
const named = z.object({ name: z.string() });
const listing = z.object({
  nftables: z.array(
    z.object({
      map: named.extend({ elem: z.array(z.tuple([z.number(), z.unknown()])).default([]) }).optional(),
      set: named.extend({ elem: z.array(z.unknown()).default([]) }).optional(),
      chain: named.optional(),
      rule: z.object({ chain: z.string(), comment: z.string().default('') }).optional(),
    }),
  ),
});

/** @throws HsctlError('format') when it is not what nft prints. */
export function parseNft(json: string, port: number): NftActual {
  const { nftables } = parseListing(json);
  const rules = nftables.flatMap(({ rule }) => rule ?? []);
  const elements = (name: string): readonly (readonly [number, unknown])[] =>
    nftables.find(({ map }) => map?.name === name)?.map?.elem ?? [];
  const dead = nftables.find(({ set }) => set?.name === 'dead')?.set?.elem ?? [];
  return {
    structure: nftables
      .flatMap(({ chain }) => chain ?? [])
      .map(({ name }) => {
        const comments = rules.filter(({ chain }) => chain === name).map(({ comment }) => comment);
        return `${name}: ${comments.join(', ')}`;
      })
      .toSorted(),
    active: activeOf(elements('active'), port),
    gate: gateOf(elements('gate'), port),
    dead: dead.map((address) => canonicalHost(String(address))).toSorted(),
  };
}

function parseListing(json: string): z.infer<typeof listing> {
  try {
    return listing.parse(JSON.parse(json));
  } catch (error) {
    throw new HsctlError(
      'format',
      'the output of `nft -j list table` is not understood',
      'nft 1.0 or later is needed',
      {
        cause: error,
      },
    );
  }
}

/** Foreign elements count as no answer, so that the map is written anew. */
function activeOf(elements: readonly (readonly [number, unknown])[], port: number): string | null {
  const [first] = elements;
  if (first === undefined) return null;
  const value = endpoint.safeParse(first[1]);
  if (elements.length > 1 || first[0] !== port || !value.success) return 'unknown';
  const [host, toPort] = value.data.concat;
  return formatEndpoint({ host: canonicalHost(host), port: toPort });
}

function gateOf(elements: readonly (readonly [number, unknown])[], port: number): NftGate | 'unknown' {
  const [first] = elements;
  if (first === undefined) return 'open';
  const verdict = first[1];
  if (elements.length > 1 || first[0] !== port || typeof verdict !== 'object' || verdict === null) return 'unknown';
  return 'drop' in verdict ? 'drop' : 'goto' in verdict ? 'refuse' : 'unknown';
}
