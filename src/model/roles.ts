/** Words for what a node does. */

/** Name of a node within its group, as in the configuration. */
export type NodeId = string;

/**
 * What the agent does now.
 * `waiting`: knows no reign to take part in. `slave`: follows the master of its epoch.
 * `master`: owns its epoch, whether or not it may serve at this moment.
 * `diverged`: its log holds acknowledged records that the master lacks; an operator has to choose.
 */
export const ROLES = ['waiting', 'slave', 'master', 'diverged'] as const;
export type Role = (typeof ROLES)[number];

/**
 * How far a master's reign is.
 * `fencing`: accepted, but its own grant to the former master still runs. `promoting`: the app was told, and has
 * not said that it is ready. `ready`: the app serves. `quiescing`: no new work; what is under way ends.
 * `quiesced`: writes are frozen and the slave holds all. `released`: the lease was given back for good.
 */
export const REIGN_PHASES = ['fencing', 'promoting', 'ready', 'quiescing', 'quiesced', 'released'] as const;
export type ReignPhase = (typeof REIGN_PHASES)[number];

/**
 * The app as its agent sees it. `absent`: never seen. `starting`: the agent is starting it. `up`: alive.
 * `down`: gone (crash, exit, closed connection). `hung`: there, but its heartbeats or local probe fail.
 */
export const APP_STATES = ['absent', 'starting', 'up', 'down', 'hung'] as const;
export type AppState = (typeof APP_STATES)[number];
