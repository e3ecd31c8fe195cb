import type { AppWatch } from '../../src/agent/app/app-watch.ts';
import type { SeededRandom } from './seeded-random.ts';
import { SimProcess } from './sim-process.ts';
import type { Machine } from './machine.ts';
import type { Answer, Command, SimService } from './sim-service.ts';

export interface AppSettings {
  /** Interval of its requests; the agent takes them for heartbeats. */
  readonly beatMs: number;
  /** From its start until it joins, and from its promotion until it is ready, at most. */
  readonly startMs: number;
  readonly readyMs: number;
  /** The agent runs it: so many restarts in place within so long. */
  readonly restart: { readonly times: number; readonly withinMs: number } | null;
}

/** What an app sees of the agent on its machine. */
export interface AppSide {
  readonly process: SimProcess;
  readonly watch: AppWatch;
  readonly service: SimService;
  /** The role that the app is to play now. */
  role(): { readonly role: 'master' | 'slave' | 'none'; readonly epoch: number };
}

/** From the app to the agent on the same machine, and back. */
const LOCAL_MS = 0.05;

/**
 * The app of one node: joins its agent, plays the role that it is told, says when it is ready, and passes on what its
 * clients ask while it is master. It can crash and hang.
 */
export class SimApp {
  readonly #machine: Machine;
  readonly #random: SeededRandom;
  readonly #settings: AppSettings;
  #process: SimProcess | null = null;
  #agent: AppSide | null = null;
  #connection: { readonly id: number; readonly appName: string; requests: number; readonly stalled: boolean } | null =
    null;
  #connections = 0;
  #role: 'master' | 'slave' | 'none' = 'none';
  #readyEpoch = 0;
  #crashesAtMs: number[] = [];
  /** Requests of clients that are under way. */
  readonly #underWay = new Set<(answer: Answer) => void>();
  #onIdle: (() => void)[] = [];

  constructor(machine: Machine, random: SeededRandom, settings: AppSettings) {
    this.#machine = machine;
    this.#random = random;
    this.#settings = settings;
  }

  get alive(): boolean {
    return this.#process?.alive === true;
  }

  get answers(): boolean {
    return this.alive && this.#process?.stopped === false;
  }

  // --- its own life

  start(): void {
    if (this.alive || !this.#machine.up) return;
    const process = new SimProcess(`app-${this.#machine.name}`, this.#machine);
    this.#process = process;
    this.#role = 'none';
    this.#readyEpoch = 0;
    process.onDeath.push(() => this.#died(process));
    process.after(this.#random.between(1, this.#settings.startMs), () => this.#join());
    process.every(this.#settings.beatMs, () => {
      if (this.#connection !== null) this.#connection.requests += 1;
    });
  }

  crash(): void {
    this.#process?.kill('killed');
  }

  hang(): void {
    this.#process?.stop();
  }

  recover(): void {
    this.#process?.resume();
  }

  // --- its agent

  /** A new run of the agent listens, or none does any more. */
  setAgent(agent: AppSide | null): void {
    this.#agent = agent;
    this.#connection = null;
    this.#closeAll();
    const process = this.#process;
    if (agent === null || process === null || !process.alive) return;
    process.after(this.#random.between(5, 200), () => this.#join());
  }

  /** The agent published a role. */
  roleChanged(): void {
    const process = this.#process;
    const connection = this.#connection;
    if (process === null || connection === null) return;
    this.#machine.world.after(LOCAL_MS, () =>
      process.run(() => {
        if (this.#connection === connection) this.#play();
      }),
    );
  }

  /** Calls `then` once no request is under way. */
  whenIdle(then: () => void): void {
    this.#onIdle.push(then);
    this.#tellIdle();
  }

  // --- its clients

  /** A request has come in from a client. */
  serve(command: Command, reply: (answer: Answer) => void): void {
    const process = this.#process;
    if (process === null || !process.alive) return reply({ kind: 'error', text: 'connection refused' });
    process.run(() => {
      const agent = this.#agent;
      if (agent === null || this.#connection === null) return reply({ kind: 'error', text: 'no agent' });
      if (this.#role !== 'master') return reply({ kind: 'error', text: `this app is ${this.#role}` });
      const end = (answer: Answer): void => {
        if (!this.#underWay.delete(end)) return;
        reply(answer);
        this.#tellIdle();
      };
      this.#underWay.add(end);
      this.#machine.world.after(LOCAL_MS, () =>
        agent.process.run(() =>
          agent.service.execute(command, (answer) => {
            this.#machine.world.after(LOCAL_MS, () => process.run(() => end(answer)));
          }),
        ),
      );
    });
  }

  // --- steps

  #join(): void {
    const agent = this.#agent;
    if (agent === null || this.#connection !== null) return;
    this.#connections += 1;
    const connection = { id: this.#connections, appName: 'app', requests: 0, stalled: false };
    this.#connection = connection;
    this.#machine.world.after(LOCAL_MS, () => agent.process.run(() => agent.watch.appJoined(connection)));
    this.#machine.world.after(3 * LOCAL_MS, () => this.roleChanged());
  }

  #play(): void {
    const agent = this.#agent;
    const process = this.#process;
    if (agent === null || process === null) return;
    const { role, epoch } = agent.role();
    this.#role = role;
    if (role !== 'master' || this.#readyEpoch === epoch) return;
    this.#readyEpoch = epoch;
    const connection = this.#connection;
    process.after(this.#random.between(0.5, this.#settings.readyMs), () => {
      if (this.#connection !== connection || agent !== this.#agent) return;
      this.#machine.world.after(LOCAL_MS, () => agent.process.run(() => void agent.watch.appReady(epoch)));
    });
  }

  #died(process: SimProcess): void {
    const connection = this.#connection;
    const agent = this.#agent;
    this.#connection = null;
    this.#closeAll();
    if (!this.#machine.up || process !== this.#process) return;
    const { world } = this.#machine;
    const restartsInPlace = agent !== null && this.#takeRestart();
    if (agent !== null) {
      world.after(LOCAL_MS, () =>
        agent.process.run(() => {
          if (connection !== null) agent.watch.appLeft(connection, 'closed by the client');
          if (this.#settings.restart !== null) agent.watch.onExit('the app was ended by SIGKILL', restartsInPlace);
        }),
      );
    }
    const delayMs = restartsInPlace ? this.#random.between(1, 50) : this.#random.between(50, 3000);
    world.after(delayMs, () => {
      if (this.#process === process && this.#settings.restart !== null && agent !== null) {
        agent.process.run(() => agent.watch.onStarted());
      }
      if (this.#process === process) this.start();
    });
  }

  #closeAll(): void {
    for (const end of this.#underWay) end({ kind: 'closed' });
  }

  #takeRestart(): boolean {
    const { restart } = this.#settings;
    if (restart === null) return false;
    const nowMs = this.#machine.world.nowMs;
    this.#crashesAtMs = this.#crashesAtMs.filter((atMs) => nowMs - atMs < restart.withinMs);
    if (this.#crashesAtMs.length >= restart.times) return false;
    this.#crashesAtMs.push(nowMs);
    return true;
  }

  #tellIdle(): void {
    if (this.#underWay.size > 0) return;
    for (const then of this.#onIdle.splice(0)) then();
  }
}
