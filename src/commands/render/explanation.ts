import type { Explanation, PromotionPlan } from '../../model/answers.ts';
import type { Paint } from './paint.ts';

/**
 * Why the controller does, or does not, act: the answer first, then each rule with the guards that hold and that block.
 * The first rule that holds decides, so those behind it are told apart.
 */
export function renderExplanation({ group, wouldDo, rules }: Explanation, paint: Paint): string[] {
  const deciding = rules.find((rule) => rule.id === wouldDo);
  const first =
    deciding === undefined
      ? `${group}: no rule wants to change anything`
      : `${group}: ${deciding.id} decides: ${deciding.why}`;
  const behind = rules.find((rule) => !rule.reached);
  const lines = [paint('bold', first)];
  for (const rule of rules) {
    if (rule === behind)
      lines.push(
        '',
        paint('bold', `not looked at: ${wouldDo} decides first; this is what the rules behind it would find`),
      );
    lines.push('', ...renderRule(rule, rule === deciding, paint));
  }
  return lines;
}

function renderRule(rule: Explanation['rules'][number], decides: boolean, paint: Paint): string[] {
  const protects = rule.protects.length === 0 ? '' : paint('dim', ` (${rule.protects.join(', ')})`);
  const standing = decides ? paint('good', 'decides') : rule.holds ? 'behind ' : 'blocked';
  return [
    `${standing} ${rule.id}  ${rule.why}${protects}`,
    ...rule.guards.map(
      ({ name, holds, found }) => `  ${holds ? paint('good', 'yes') : paint('bad', 'no ')}  ${name}: ${found}`,
    ),
  ];
}

/** What a promotion does, step by step, and what stands against it. */
export function renderPlan(plan: PromotionPlan, paint: Paint): string[] {
  const lines = [`${paint('bold', plan.group)}: ${plan.from ?? 'nobody'} -> ${plan.to ?? 'nobody'}`];
  for (const [index, step] of plan.steps.entries()) {
    lines.push(`  ${index + 1}. ${step.name}: ${step.description}`);
  }
  if (plan.seqsAtStake !== null) {
    const { first, last } = plan.seqsAtStake;
    lines.push(paint('bad', `  at stake: ${last - first + 1} acknowledged records, seq ${first} to ${last}`));
  }
  for (const refusal of plan.refusals) lines.push(paint('bad', `  refused: ${refusal}`));
  return lines;
}
