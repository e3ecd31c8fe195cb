import { STAGES, type GroupRecord } from '../model/group-record.ts';
import type { Change } from './changes.ts';
import type { Guard } from './guards.ts';
import { RULES, type Rule } from './rules.ts';
import type { GroupView } from './view.ts';

/**
 * The decision itself: no I/O, no clock, no logger. Whoever calls it makes the record durable first, and derives
 * everything that has to happen from the record (see derive.ts).
 */
export interface Decision {
  readonly rule: Rule;
  /** The record to save before anything else is done; null if nothing changes. */
  readonly record: GroupRecord | null;
  /** What each guard of the rule found, in words. */
  readonly reason: string;
}

/** The rules that may hold in each stage, with what else they ask for. */
const RULES_IN = new Map(STAGES.map((stage) => [stage, rulesIn(stage)]));

function rulesIn(stage: GroupRecord['stage']): readonly { readonly rule: Rule; readonly guards: readonly Guard[] }[] {
  return (RULES as readonly Rule[])
    .filter(({ when }) => when.every(({ stages }) => stages === undefined || stages.includes(stage)))
    .map((rule) => ({ rule, guards: rule.when.filter(({ stages }) => stages === undefined) }));
}

/** The first rule that holds. Asked for every group at each heartbeat: what one rule found not to hold is not asked again for the next. */
export function ruleFor(view: GroupView): Rule {
  let failed: Guard | undefined;
  for (const { rule, guards } of RULES_IN.get(view.record.stage) ?? []) {
    if (failed !== undefined && guards.includes(failed)) continue;
    failed = guards.find((guard) => !guard.test(view).holds);
    if (failed === undefined) return rule;
  }
  throw new Error(`no rule for stage ${view.record.stage}`);
}

/** What the first rule that holds makes of the record. */
export function decide(view: GroupView, rule = ruleFor(view)): Decision {
  const reason = reasonOf(rule, view);
  return { rule, reason, record: rule.change === null ? null : changed(view, rule.change(view), rule.id, reason) };
}

/** The record after a change by `rule`. */
export function changed(view: GroupView, change: Change, rule: string, reason: string): GroupRecord {
  const { record } = view;
  // Also higher than what a controller whose records are lost told the agents: they take no older word.
  const revision = 1 + Math.max(record.revision, ...view.nodes.map(({ report }) => report?.assignmentRevision ?? 0));
  return { ...record, ...change, revision, rule, reason, decidedAtWallMs: view.nowWallMs };
}

/** The findings of the guards that tell something, joined. */
function reasonOf(rule: Rule, view: GroupView): string {
  const findings = rule.when
    .filter((guard) => !guard.name.startsWith('stage is'))
    .map((guard) => guard.test(view).found);
  return findings.join('; ') || rule.why;
}

/** For `hsctl explain`: every rule with what each of its guards finds now. */
export interface ExplainedRule {
  readonly id: string;
  readonly title: string;
  readonly why: string;
  readonly protects: readonly string[];
  readonly holds: boolean;
  /** False behind the first rule that holds: `decide` does not look at it. */
  readonly reached: boolean;
  readonly guards: readonly { readonly name: string; readonly holds: boolean; readonly found: string }[];
}

export function explain(view: GroupView): readonly ExplainedRule[] {
  let reached = true;
  return RULES.map((rule: Rule) => {
    const guards = rule.when.map((guard) => ({ name: guard.name, ...guard.test(view) }));
    const { id, title, why, protects } = rule;
    const explained = { id, title, why, protects, guards, holds: guards.every((guard) => guard.holds), reached };
    reached &&= !explained.holds;
    return explained;
  });
}
