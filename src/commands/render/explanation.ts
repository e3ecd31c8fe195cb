import type { Explanation, PromotionPlan } from '../../model/answers.ts';
import type { Paint } from './paint.ts';

/** Why the controller does, or does not, act: the answer first, then each rule with the guards that hold and that block. */
export function renderExplanation(explanation: Explanation, paint: Paint): string[] {
  const acting = explanation.rules.find((rule) => rule.id === explanation.wouldDo);
  const first =
    acting === undefined
      ? `${explanation.group}: no rule wants to change anything`
      : `${explanation.group}: ${acting.id} acts: ${acting.why}`;
  const lines = [paint('bold', first)];
  for (const rule of explanation.rules) {
    const protects = rule.protects.length === 0 ? '' : paint('dim', ` (${rule.protects.join(', ')})`);
    lines.push('', `${rule.holds ? paint('good', 'holds ') : 'blocked'} ${rule.id}  ${rule.why}${protects}`);
    for (const guard of rule.guards) {
      lines.push(`  ${guard.holds ? paint('good', 'yes') : paint('bad', 'no ')}  ${guard.name}: ${guard.found}`);
    }
  }
  return lines;
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
