import { isLoopback } from '../kit/address.ts';
import type { GroupConfig } from './config.ts';
import { error, warning, type Finding } from './finding.ts';
import { closest, quote, type FilePath } from './problem.ts';

/** What does not fit together within one group, beside times and traffic. */
export function* checkGroup(group: GroupConfig): Generator<Finding> {
  const { name, nodes, app, failover } = group;
  const at = (...keys: (string | number)[]): FilePath => ['groups', name, ...keys];
  const ids = nodes.map(({ id }) => id);

  if (!ids.includes(failover.prefer)) {
    const meant = closest(failover.prefer, ids);
    const remedy = meant === null ? `use one of ${ids.join(', ')}` : `did you mean ${quote(meant)}?`;
    yield error([at('failover', 'prefer')], `no node is called ${quote(failover.prefer)}`, remedy);
  }
  if (app.ready === 'hook' && app.promote === null) {
    yield error(
      [at('app', 'ready')],
      'there is no promote hook to say that the app is ready',
      'add promote, or use ready: app',
    );
  }
  if (app.restart.times > 0 && app.run === null) {
    yield warning(
      [at('app', 'restart')],
      'the agent does not run the app, so it restarts nothing',
      'add run, or remove restart',
    );
  }
  for (const node of nodes) {
    if (node.listen !== null && !isLoopback(node.listen.host)) {
      yield error(
        [at('nodes', node.id, 'listen'), at('app', 'listen')],
        `RESP is not encrypted, and ${node.listen.host} is reached from other machines`,
        'listen on a loopback address: every app talks to the agent of its own machine',
      );
    }
  }
  if (group.traffic.length === 0) {
    yield warning(
      [at('traffic')],
      'no traffic driver: clients have to find the master by themselves',
      'add one, like { type: vip, ... }',
    );
  }
}
