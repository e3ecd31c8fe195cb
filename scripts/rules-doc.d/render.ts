import { ROLE_RULES, type RoleRule } from '../../src/agent/core/role-rules.ts';
import { RULES, type Rule } from '../../src/controller/rules.ts';
import { agentStates } from './agent-states.ts';
import { edges } from './stages.ts';

/** Renders docs/rules.md: what the controller decides and what an agent may be, from the code that does it. */
export function renderRules(): string {
  const rules = RULES as readonly Rule[];
  return `# What hsctl decides, and when

This page is made from the code by \`scripts/rules-doc\`; a test fails where it is stale.

The controller keeps one durable record for each group. At every observation it takes the first rule of this table whose
guards all hold, saves the record that the rule makes, and only then tells the agents. A rule without a change keeps
everything as it is. The rules behind the first that holds are not looked at. \`hsctl explain\` shows the same table with
what each guard finds now, those behind it apart; \`hsctl events\`, the log and the web page name the rule of each decision.

| rule | in words | changes |
|---|---|---|
${rules.map(overview).join('\n')}

## Stages of the record

\`\`\`mermaid
${diagram()}
\`\`\`

\`none\`: no reign was ever recorded. \`serving\`: the master owns the epoch. \`quiescing\`: the same, but it was asked to
hand over and may still go on. \`fencing\`: a new epoch has an owner to be; the former master may still hold a lease.
\`promoting\`: the former master is fenced, the new one takes over.

## The rules

In their order: the first one whose guards all hold is the one that counts.

${rules.map(section).join('\n\n')}

## How an agent changes its role

An agent derives everything from its last assignment, its leases and its links. An agent that meets a higher epoch, in
an order or a greeting, makes it durable and drops whatever it was; an epoch that it has renounced it never serves under
again. Of the rules for what comes in, the first whose conditions all hold is the one that counts; the agent's log names it.

${SIGNALS.map(([on, title]) => signal(on, title)).join('\n\n')}

## What an agent can be

| role | phase | reached by | the app is told | serves | writes | new work | dials the peer | feeds a slave | asks for leases | grants leases | renounced its epoch |
|---|---|---|---|---|---|---|---|---|---|---|---|
${agentStates().map(stateRow).join('\n')}

\`frozen\` writes wait for the end of a switchover; writes also wait while a master has no lease at the moment.
`;
}

/** What may change an agent's role, in words. */
const SIGNALS: readonly (readonly [on: RoleRule['on'], title: string])[] = [
  ['assignment', 'An order of the controller'],
  ['greeting', 'A greeting of the peer'],
  ['logs parted', 'The log is not a part of its master’s, and may not be cut'],
  ['store failed', 'The store fails'],
  ['app unfit', 'The app cannot serve'],
  ['stop', 'The agent is told to stop'],
];

function signal(on: RoleRule['on'], title: string): string {
  const rows = (ROLE_RULES as readonly RoleRule[]).filter((rule) => rule.on === on).map(roleRow);
  return `### ${title}\n\n| rule | in words | when | then | why |\n|---|---|---|---|---|\n${rows.join('\n')}`;
}

function roleRow({ id, title, when, effect, why, protects }: RoleRule): string {
  const conditions = when.map(({ name }) => name).join('; ') || 'always';
  return `| ${id} | ${title} | ${conditions} | ${effect || 'nothing changes'} | ${why} (${protects.join(', ')}) |`;
}

function overview({ id, title, effect }: Rule): string {
  return `| [${id}](#${id.toLowerCase()}) | ${title} | ${effect || 'nothing'} |`;
}

function section({ id, title, when, effect, alarms, to, why, protects }: Rule): string {
  const guards = when.map(({ name }) => `- ${name}`).join('\n');
  const stage = to === null ? '' : ` Stage: \`${to}\`.`;
  const nothing = alarms ? 'Nothing changes; an event (an alarm) tells of it.' : 'Nothing changes.';
  const change = effect === '' ? nothing : `Then: ${effect}.${stage}`;
  const serves = protects.length === 0 ? '' : ` (${protects.join(', ')})`;
  return `### ${id}\n\n**${title}**, when\n\n${guards}\n\n${change}\n\nWhy: ${why}.${serves}`;
}

/** One arrow for each pair of stages, with all that leads along it. */
function diagram(): string {
  const arrows = new Map<string, string[]>();
  for (const { from, to, by } of edges()) {
    const arrow = `${from} --> ${to}`;
    arrows.set(arrow, [...(arrows.get(arrow) ?? []), by]);
  }
  const lines = [...arrows].map(([arrow, by]) => `  ${arrow}: ${by.join(', ')}`);
  return ['stateDiagram-v2', '  [*] --> none', ...lines].join('\n');
}

function stateRow(state: ReturnType<typeof agentStates>[number]): string {
  const mark = (is: boolean): string => (is ? 'yes' : '');
  return `| ${[
    state.role,
    state.phase,
    state.by,
    state.appRole,
    mark(state.serves),
    state.writes,
    state.quiesce ? 'kept out' : '',
    mark(state.dialPeer),
    mark(state.feeds),
    mark(state.wantsLease),
    mark(state.grants),
    mark(state.renounced),
  ].join(' | ')} |`;
}
