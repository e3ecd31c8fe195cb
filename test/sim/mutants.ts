import type { Mutant } from './mutant.ts';
import { AGENT } from './mutants/agent.ts';
import { DECISIONS } from './mutants/decisions.ts';
import { IN_SYNC_SET } from './mutants/in-sync-set.ts';
import { LEASES } from './mutants/leases.ts';
import { REPLICATION } from './mutants/replication.ts';

/**
 * Guards that the safety of the pair rests on, each switched off. A simulator that does not notice one of them has
 * shown nothing about it; a guard whose absence nothing can notice is not needed.
 */
export const MUTANTS: readonly Mutant[] = [...DECISIONS, ...LEASES, ...AGENT, ...IN_SYNC_SET, ...REPLICATION];
