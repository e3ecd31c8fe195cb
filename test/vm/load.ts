import { fileURLToPath } from 'node:url';
import type { Host } from '../rig/host.ts';
import type { RigProcess } from '../rig/rig-process.ts';
import { tool } from '../rig/tool.ts';
import type { Service } from './ipvs-drivers.ts';
import { virtualAddress } from './ipvs-net.ts';

/** In C++: emulation leaves so little of a processor that Node would get some 40 requests a second through. */
const FOLDER = fileURLToPath(new URL('load', import.meta.url));
const ASK = `${FOLDER}/ask`;
const ANSWER = `${FOLDER}/answer`;
const BUILD_LIMIT_MS = 180_000;

/** Compiles both programs unless that was done before; gives their files. Rejects with the compiler's words. */
export async function buildLoad(): Promise<readonly string[]> {
  await tool(['make', '-C', FOLDER], '', BUILD_LIMIT_MS);
  return [ASK, ANSWER];
}

/** Servers that say `name` at each place (`tcp/10.0.0.11/9000`) of a host; see load/answer.cpp. To be built before by `buildLoad`. */
export async function startAnswering(host: Host, name: string, places: readonly string[]): Promise<void> {
  const server = await host.spawn([ANSWER, name, ...places], { name: `answer-${name}` });
  await server.waitFor(/^serving$/m);
}

/** Where clients find a service, as both programs want it. */
export function placeOf({ forwarding, family, protocol }: Service, port: number): string {
  return `${protocol}/${virtualAddress(forwarding, family)}/${port}`;
}

/** By place, as load/ask.cpp prints it. */
type Report = Readonly<Record<string, PlaceReport>>;

interface PlaceReport {
  /** Longest that an answered request took, and longest time without an answer. */
  readonly longestWaitMs: number;
  readonly longestSilenceMs: number;
  /** Number of requests by the name of who answered, or by what went wrong. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** What became of a load. */
export class LoadResult {
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  /** Number of each outcome: all places together. */
  get outcomes(): Readonly<Record<string, number>> {
    const sums: Record<string, number> = {};
    for (const { outcomes } of Object.values(this.#report)) {
      for (const [outcome, count] of Object.entries(outcomes)) sums[outcome] = (sums[outcome] ?? 0) + count;
    }
    return sums;
  }

  /** For people: who answered how often, and the longest times by protocol. */
  get words(): string {
    const longest = (['tcp', 'udp'] as const).map((protocol) => {
      const places = Object.entries(this.#report).flatMap(([place, one]) => (place.startsWith(protocol) ? [one] : []));
      const wait = Math.max(0, ...places.map(({ longestWaitMs }) => longestWaitMs));
      const silence = Math.max(0, ...places.map(({ longestSilenceMs }) => longestSilenceMs));
      return `${protocol} longest request ${wait} ms, longest time without an answer ${silence} ms`;
    });
    return `${JSON.stringify(this.outcomes)}; ${longest.join('; ')}`;
  }
}

/** Many clients on a host, each with one request; see load/ask.cpp. */
export class Load {
  readonly #process: RigProcess;
  readonly #places: readonly string[];

  private constructor(process: RigProcess, places: readonly string[]) {
    this.#process = process;
    this.#places = places;
  }

  /** Begins so many requests a second, to the places in turn. To be built before by `buildLoad`. */
  static async start(host: Host, places: readonly string[], perSecond: number): Promise<Load> {
    return new Load(await host.spawn([ASK, String(perSecond), ...places], { name: 'load' }), places);
  }

  /** Resolves when some request to each place, or to each of these, was answered by `node`. */
  async answeredBy(node: string, places = this.#places): Promise<void> {
    await Promise.all(places.map((place) => this.#process.waitFor(new RegExp(`^first ${place} ${node}$`, 'm'))));
  }

  /** Requests begun in each whole second so far. */
  get bySecond(): readonly number[] {
    return [...this.#process.output.matchAll(/^second \d+ (\d+)$/gm)].map(([, count]) => Number(count));
  }

  /** Resolves when it went on for that many more of its whole seconds. */
  async seconds(count: number): Promise<void> {
    await this.#process.waitFor(new RegExp(`^second ${this.bySecond.length + count} `, 'm'));
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  /** Begins no more, and resolves when all requests have their outcome. */
  async stop(): Promise<LoadResult> {
    this.#process.write('stop');
    const [report] = await this.#process.waitFor(/^\{.*\}$/m);
    return new LoadResult(JSON.parse(report) as Report);
  }
}
