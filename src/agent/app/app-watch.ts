import { HeartbeatWatch, type Pulse } from '../../controller/detector.ts';
import type { Scheduler, Timer } from '../../kit/clock.ts';
import { formatDuration } from '../../kit/units.ts';
import type { AppState } from '../../model/roles.ts';
import type { AppConnection, AppObserver } from '../resp/app-observer.ts';

/**
 * What is known of the app on this node, from all that watches it: its own connections (closed: it crashed), the
 * heartbeats on them (two counters and one timer for all), the supervisor that runs it, and a local probe.
 */
export interface AppView {
  readonly state: AppState;
  /** False once it is certain that the app cannot serve; restarts in place come first. */
  readonly fit: boolean;
  /** Epoch for which it last said that it is ready. */
  readonly readyEpoch: number;
  readonly detail: string;
}

/** Read anew at each use, or where `reconfigured` says so. */
export interface AppWatchOptions {
  readonly heartbeat: { readonly intervalMs: number; readonly misses: number } | null;
  readonly scheduler: Scheduler;
  /** The app joins its agent by a connection of its own; else hook or probe speak for it. */
  readonly joins: boolean;
  /** An app that is started (again) has to join within this time; after it the node cannot serve. */
  readonly joinTimeoutMs: number;
  /** Null if the node's reign waits for this word, else the error for the app. */
  mayBeReady(epoch: number): string | null;
  /** Ends an app that hangs, if the agent runs it. */
  endApp(): void;
  onChange(view: AppView): void;
}

export class AppWatch implements AppObserver {
  readonly #options: AppWatchOptions;
  #heartbeats: HeartbeatWatch<AppConnection> | null = null;
  /** Compares the counters; null while nothing is compared. */
  #ticks: Timer | null = null;
  readonly #pulses = new Map<AppConnection, { readonly pulse: Pulse; seen: number }>();
  #view: AppView = { state: 'absent', fit: true, readyEpoch: 0, detail: 'no app has joined yet' };
  readonly #watched = new Set<AppConnection>();
  #supervised = false;
  /** The local probe's verdict while this node serves; null while it says nothing. */
  #probeTrouble: string | null = null;
  #hookFailed = false;
  /** Runs while a restarted app is waited for. */
  #patience: Timer | null = null;

  constructor(options: AppWatchOptions) {
    this.#options = options;
    this.#makeWatch();
  }

  get view(): AppView {
    return this.#view;
  }

  /** Starts the one timer for all connections. Returns a function that ends it. */
  start(): () => void {
    this.#startTicks();
    return () => this.#ticks?.cancel();
  }

  /** The options have changed: every connection is watched anew by them. */
  reconfigured(): void {
    const connections = [...this.#watched];
    this.#pulses.clear();
    this.#makeWatch();
    for (const connection of connections) this.#watch(connection);
    this.#startTicks();
  }

  #makeWatch(): void {
    const { heartbeat } = this.#options;
    this.#heartbeats = heartbeat === null ? null : new HeartbeatWatch(heartbeat.intervalMs, heartbeat.misses);
  }

  #startTicks(): void {
    const { heartbeat, scheduler } = this.#options;
    this.#ticks?.cancel();
    this.#ticks = heartbeat === null ? null : scheduler.every(heartbeat.intervalMs, () => this.#tick());
  }

  // --- the app's connections

  appJoined(connection: AppConnection): void {
    this.#watched.add(connection);
    this.#watch(connection);
    this.#set({ state: 'up', fit: true, detail: '' });
  }

  appLeft(connection: AppConnection, reason: string): void {
    this.#watched.delete(connection);
    this.#heartbeats?.forget(connection);
    this.#pulses.delete(connection);
    if (this.#watched.size > 0) return;
    // The supervisor knows first hand whether it ended, and whether a restart in place is worth waiting for.
    if (this.#supervised && !this.#options.joins) return;
    if (this.#supervised) this.#set({ state: 'starting', detail: reason, readyEpoch: 0 });
    else this.#set({ state: 'down', fit: false, detail: `the app's connection closed: ${reason}`, readyEpoch: 0 });
  }

  appReady(epoch: number): string | null {
    const refusal = this.#options.mayBeReady(epoch);
    if (refusal === null) this.#set({ readyEpoch: epoch });
    return refusal;
  }

  // --- others who watch

  /** The supervisor is about to start the app. */
  onStarted(): void {
    this.#supervised = true;
    if (this.#view.state === 'up') return;
    if (this.#options.joins) this.#set({ state: 'starting', detail: 'the agent starts it' });
    else this.#set({ state: 'up', fit: true, detail: '' });
  }

  /** It ended; `restartsInPlace`: the service can wait for its return. */
  onExit(detail: string, restartsInPlace: boolean): void {
    this.#set({ state: restartsInPlace ? 'starting' : 'down', fit: restartsInPlace, detail, readyEpoch: 0 });
  }

  /** The promote hook, whose success was to be the word, failed: another node should serve. */
  onHookFailed(): void {
    this.#hookFailed = true;
    this.#set({ state: 'down', fit: false, detail: 'the promote hook failed', readyEpoch: 0 });
  }

  /** Another node serves: this one gets another chance after that. */
  onSlave(): void {
    if (!this.#hookFailed) return;
    const isThere = this.#watched.size > 0 || (this.#supervised && !this.#options.joins);
    this.#set({ state: isThere ? 'up' : 'absent', fit: true, detail: '' });
  }

  /** The local probe's verdict on the app of a node that serves; null when it is good, or when the node no longer serves. */
  onProbe(trouble: string | null): void {
    const before = this.#probeTrouble;
    this.#probeTrouble = trouble;
    if (trouble !== null) this.#hang(`probe: ${trouble}`);
    else if (before !== null && this.#view.state === 'hung') this.#set({ state: 'up', fit: true, detail: '' });
  }

  // --- heartbeats

  #watch(connection: AppConnection): void {
    const pulse = this.#heartbeats?.watch(connection);
    if (pulse !== undefined) this.#pulses.set(connection, { pulse, seen: connection.requests });
  }

  #tick(): void {
    const heartbeats = this.#heartbeats;
    if (heartbeats === null) return;
    let alive = false;
    for (const [connection, watched] of this.#pulses) {
      const beats = connection.requests !== watched.seen;
      watched.seen = connection.requests;
      alive ||= beats;
      // A connection that the service does not read from cannot beat: that is our doing, not the app's.
      if (beats || connection.stalled) watched.pulse.requests += 1;
    }
    if (alive && this.#view.state === 'hung' && this.#probeTrouble === null)
      this.#set({ state: 'up', fit: true, detail: '' });
    for (const connection of heartbeats.tick(this.#options.scheduler.monotonicMs())) {
      this.#watch(connection);
      this.#hang('the app sends no heartbeats');
    }
  }

  #hang(detail: string): void {
    if (this.#view.state === 'hung') return;
    this.#set({ state: 'hung', fit: false, detail, readyEpoch: 0 });
    this.#options.endApp();
  }

  #set(change: Partial<AppView>): void {
    this.#view = { ...this.#view, ...change };
    if (change.state !== undefined) this.#await(change.state);
    if (change.fit === true) this.#hookFailed = false;
    this.#options.onChange(this.#view);
  }
  /** The service does not wait for an app for ever. */
  #await(state: AppState): void {
    const { scheduler, joinTimeoutMs } = this.#options;
    if (state !== 'starting') {
      this.#patience?.cancel();
      this.#patience = null;
      return;
    }
    this.#patience ??= scheduler.after(joinTimeoutMs, () => {
      this.#patience = null;
      this.#set({ fit: false, detail: `the app has not joined within ${formatDuration(joinTimeoutMs)}` });
    });
  }
}
