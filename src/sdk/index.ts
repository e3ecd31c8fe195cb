/**
 * hsctl for apps: the app's memory on two machines, and the word when to serve.
 *
 * ```ts
 * import { runStandby } from 'hsctl/sdk';
 *
 * const scores = new Map<string, string>();
 * const standby = runStandby({
 *   socket: '/run/hsctl/world.sock',
 *   name: 'scores',
 *   onChange(change) {
 *     if (change.type === 'reset') scores.clear();
 *     else if (change.type === 'set') scores.set(String(change.key), String(change.value));
 *     else scores.delete(String(change.key));
 *   },
 *   onPromote: () => server.listen(9000),
 *   onDemote: () => server.closeAllConnections(),
 * });
 *
 * async function addScore(player: string, score: string): Promise<void> {
 *   await standby.client.set(player, score); // both machines hold it when this returns
 *   scores.set(player, score);
 * }
 *
 * async function scoreOf(player: string): Promise<string | undefined> {
 *   await standby.confirm(); // this node serves at this very moment
 *   return scores.get(player);
 * }
 * ```
 *
 * A write that fails with `RefusedError` was not done (`master` names who would do it); with `IndeterminateError` nobody
 * knows; with `UnavailableError` it was never sent. Apps in other languages use any Redis client: see the manual.
 */
export { connect, type ConnectOptions, StateClient } from './client.ts';
export type { AgentEndpoint } from './endpoint.ts';
export { CommandError, IndeterminateError, RefusedError, UnavailableError } from './errors.ts';
export type { Change, ChangeListener, LogFollower } from './log-follower.ts';
export type { AppDeclaration } from './role-watch.ts';
export { runStandby, Standby, type StandbyOptions } from './standby.ts';
export type { RoleNews } from '../model/role-news.ts';
