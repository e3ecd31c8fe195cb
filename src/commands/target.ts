import type { ApiClient } from '../api/client.ts';
import { HsctlError } from '../kit/errors.ts';
import type { GroupStatus } from '../model/status.ts';

/** The group that is meant, which may be left out where the controller has one only. @throws HsctlError('usage') */
export async function findGroup(client: ApiClient, name: string | undefined): Promise<GroupStatus> {
  const { groups } = await client.status(name);
  const [only, ...others] = groups;
  if (only !== undefined && others.length === 0) return only;
  throw new HsctlError('usage', 'which group?', `name one of ${groups.map((group) => group.group).join(', ')}`);
}

/**
 * Group and node from up to two words, `GROUP NODE`, `GROUP` or `NODE`; one word alone is a group if there is one of
 * that name. Node is null if none was named. @throws HsctlError('usage')
 */
export async function findNode(
  client: ApiClient,
  words: { readonly group: string | undefined; readonly node: string | undefined },
): Promise<{ readonly group: GroupStatus; readonly node: string | null }> {
  if (words.node !== undefined) return checkNode(await findGroup(client, words.group), words.node);
  const { groups } = await client.status();
  const named = groups.find((group) => group.group === words.group);
  if (named !== undefined) return { group: named, node: null };
  const [only, ...others] = groups;
  if (only !== undefined && others.length === 0)
    return words.group === undefined ? { group: only, node: null } : checkNode(only, words.group);
  const names = groups.map((group) => group.group).join(', ');
  throw new HsctlError(
    'usage',
    words.group === undefined ? 'which group?' : `there is no group ${words.group}`,
    `the groups are: ${names}`,
  );
}

function checkNode(group: GroupStatus, node: string): { readonly group: GroupStatus; readonly node: string } {
  if (group.nodes.some((each) => each.id === node)) return { group, node };
  const nodes = group.nodes.map((each) => each.id).join(', ');
  throw new HsctlError('usage', `group ${group.group} has no node ${node}`, `its nodes are: ${nodes}`);
}
