import type { GroupRuntime } from './group-runtime.ts';

/** What the agents say to a reload. */
export interface AgentAnswers {
  /** What keeps it from being applied: files with errors. */
  readonly errors: readonly string[];
  readonly changes: readonly { readonly group: string; readonly text: string; readonly line: string }[];
  readonly restarts: readonly string[];
  /** What an operator should see to afterwards. */
  readonly notes: readonly string[];
}

/** Has all agents of these groups read their files again. `digest`: what the group is in the controller's file. */
export async function askAgents(
  concerned: readonly { readonly runtime: GroupRuntime; readonly digest: string }[],
  dryRun: boolean,
): Promise<AgentAnswers> {
  const errors: string[] = [];
  const changes: { group: string; text: string; line: string }[] = [];
  const restarts: string[] = [];
  const notes: string[] = [];
  const ask = async (runtime: GroupRuntime, digest: string, node: string): Promise<void> => {
    const { name } = runtime.group;
    const who = `${name}: the agent of ${node}`;
    const isLinked = runtime.isLinked(node);
    const answer = await runtime.askReload(node, dryRun);
    if (!isLinked) notes.push(`${who} is not heard: it reads its file when it starts`);
    else if (answer === null) notes.push(`${who} does not answer: send it SIGHUP, or reload again`);
    else if (answer.error !== '') errors.push(`${who}: ${answer.error}`);
    else {
      for (const text of answer.changes) changes.push({ group: name, text, line: `${who}: ${text}` });
      for (const text of answer.restarts) restarts.push(`${name}: ${text} when the agent of ${node} is restarted`);
      if (answer.digest !== digest)
        notes.push(`${who} has another file than the controller: copy it there, and reload again`);
    }
  };
  await Promise.all(
    concerned.flatMap(({ runtime, digest }) => runtime.group.nodes.map(({ id }) => ask(runtime, digest, id))),
  );
  return { errors, changes, restarts, notes };
}
