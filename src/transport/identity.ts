/**
 * Names in certificates: one URI in the subject's alternative names says to which cluster, in which role, and as
 * which node or person its holder belongs.
 *   hsctl://CLUSTER/controller    hsctl://CLUSTER/node/NODE    hsctl://CLUSTER/operator/NAME
 *   hsctl://CLUSTER/viewer/NAME
 */
export type Identity =
  | { readonly role: 'controller'; readonly cluster: string }
  | { readonly role: 'node'; readonly cluster: string; readonly name: string }
  /** A person: operators may change things, viewers may look. */
  | { readonly role: 'operator' | 'viewer'; readonly cluster: string; readonly name: string };

const NAME = '[A-Za-z0-9][A-Za-z0-9._-]{0,62}';
const URI = new RegExp(`^hsctl://(${NAME})/(?:(controller)|(node|operator|viewer)/(${NAME}))$`);
const ONE_NAME = new RegExp(`^${NAME}$`);

/** Whether `name` may stand for a cluster, node or operator in a certificate. */
export function isIdentityName(name: string): boolean {
  return ONE_NAME.test(name);
}

export function formatIdentity(identity: Identity): string {
  const place = identity.role === 'controller' ? 'controller' : `${identity.role}/${identity.name}`;
  return `hsctl://${identity.cluster}/${place}`;
}

/** The identity that a URI names; null if it is none of ours. */
export function parseIdentity(uri: string): Identity | null {
  const parts = URI.exec(uri);
  if (parts === null) return null;
  const [, cluster = '', controller, role, name = ''] = parts;
  if (controller !== undefined) return { role: 'controller', cluster };
  return { role: role === 'node' || role === 'viewer' ? role : 'operator', cluster, name };
}

/**
 * The identity in a certificate, given its alternative names as Node prints them (`URI:..., DNS:...`); null if there
 * is none, or more than one. A quoted entry could hide a separator, so such certificates name nobody.
 */
export function identityOf(alternativeNames: string | undefined): Identity | null {
  if (alternativeNames === undefined || alternativeNames.includes('"')) return null;
  const uris = alternativeNames.split(', ').filter((entry) => entry.startsWith('URI:hsctl:'));
  const [only, second] = uris;
  return only === undefined || second !== undefined ? null : parseIdentity(only.slice('URI:'.length));
}

/** Why the holder of `found` is not one of those `expected`; null if it is. */
export function identityRefusal(found: Identity | null, expected: readonly Identity[]): string | null {
  const wanted = expected.map(formatIdentity).join(' or ');
  if (found === null) return `its certificate names nobody (expected ${wanted})`;
  const name = formatIdentity(found);
  return expected.some((identity) => formatIdentity(identity) === name)
    ? null
    : `its certificate is for ${name} (expected ${wanted})`;
}
