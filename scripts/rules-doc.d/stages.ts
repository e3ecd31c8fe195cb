import { RULES, type Rule } from '../../src/controller/rules.ts';
import type { GroupRecord } from '../../src/model/group-record.ts';

type Stage = GroupRecord['stage'];

/** A change of the record's stage, and what brings it about: rules by their ids, or an operator. */
export interface Edge {
  readonly from: Stage;
  readonly to: Stage;
  readonly by: string;
}

/** What `hsctl promote` changes by itself; everything after that is up to the rules. */
const BY_OPERATOR: readonly Edge[] = [
  { from: 'serving', to: 'quiescing', by: 'promote' },
  { from: 'serving', to: 'fencing', by: 'promote (master lost, or loss accepted)' },
  { from: 'none', to: 'fencing', by: 'promote --force' },
  { from: 'promoting', to: 'fencing', by: 'promote (master lost, or --force)' },
];

/** All edges, in the order of the rules; those that stay where they are belong to the rules' text. */
export function edges(): Edge[] {
  const byRule = (RULES as readonly Rule[]).flatMap(({ id, to, when }) => {
    const from = when.flatMap(({ stages }) => stages ?? []);
    return to === null ? [] : from.map((stage) => ({ from: stage, to, by: id }));
  });
  return [...byRule, ...BY_OPERATOR];
}
