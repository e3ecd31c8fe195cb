import type { NodeId } from './roles.ts';

/** What an app is told of its role: on the channel `hs:role`, and by HS ROLE. */
export interface RoleNews {
  /** `none`: neither; do nothing that shows outside. */
  readonly role: 'master' | 'slave' | 'none';
  readonly epoch: number;
  /** Who is master, if the node knows. */
  readonly master: NodeId | null;
}

/** The message on the channel: `master 7 a`, `slave 7 a`, `none 7 -`. */
export function roleMessage(news: RoleNews): string {
  return `${news.role} ${news.epoch} ${news.master ?? '-'}`;
}

/** Reads such a message; null if it is none. */
export function parseRoleMessage(text: string): RoleNews | null {
  const parts = /^(master|slave|none) (\d{1,15}) (\S+)$/.exec(text);
  if (parts === null) return null;
  const [, role, epoch, master] = parts;
  if (role !== 'master' && role !== 'slave' && role !== 'none') return null;
  return { role, epoch: Number(epoch), master: master === undefined || master === '-' ? null : master };
}
