import type { SeededRandom } from './seeded-random.ts';

/** One thing that goes wrong, or that an operator does. Plain data, so that a plan can be printed and shortened. */
export interface Fault {
  readonly atMs: number;
  readonly kind: FaultKind;
  /** Machine, node or direction that it strikes; meaning depends on the kind. */
  readonly where: string;
  /** How long it lasts; 0 where it is over at once. */
  readonly forMs: number;
  readonly amount: number;
}

export const FAULT_KINDS = [
  'cut',
  'cut one way',
  'isolate',
  'clog',
  'break links',
  'half-open links',
  'kill agent',
  'end agent',
  'stop agent',
  'kill agent at an effect',
  'crash app',
  'hang app',
  'kill controller',
  'stop controller',
  'kill controller at an effect',
  'power',
  'power of both',
  'suspend',
  'set clock',
  'slow disk',
  'disk fails',
  'records fail',
  'slow records',
  'lose records',
  'old orders',
  'traffic fails',
  'promote',
  'promote by force',
  'promote with loss',
  'drain',
  'pause',
  'reconfigure',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** How often each strikes, compared with the others. */
const WEIGHTS: Readonly<Record<FaultKind, number>> = {
  cut: 4,
  'cut one way': 4,
  isolate: 4,
  clog: 2,
  'break links': 2,
  'half-open links': 2,
  'kill agent': 4,
  'end agent': 2,
  'stop agent': 4,
  'kill agent at an effect': 3,
  'crash app': 4,
  'hang app': 2,
  'kill controller': 4,
  'stop controller': 3,
  'kill controller at an effect': 3,
  power: 3,
  'power of both': 0.5,
  suspend: 2,
  'set clock': 2,
  'slow disk': 1,
  'disk fails': 1,
  'records fail': 1,
  'slow records': 1,
  'lose records': 0.5,
  'old orders': 1,
  'traffic fails': 1,
  promote: 4,
  'promote by force': 1,
  'promote with loss': 0.3,
  drain: 1,
  pause: 1,
  reconfigure: 0,
};

/** The unit of the plan's times: how fast the group notices silence. */
export interface PlanSettings {
  readonly detectMs: number;
  readonly leaseMs: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** Only these kinds; otherwise some at random. */
  readonly only: readonly FaultKind[] | null;
}

/** So many faults come close behind another one: what a guard is for often takes two at a time. */
const CLOSE = 0.35;

const MACHINES = ['a', 'b', 'director'];
const PAIRS = ['a>b', 'b>a', 'a>director', 'director>a', 'b>director', 'director>b', 'client>a', 'client>b'];

/** A random plan: some kinds only, so that each seed has a character of its own; calm or dense. */
export function planFaults(random: SeededRandom, settings: PlanSettings): Fault[] {
  const { detectMs, leaseMs, fromMs, toMs, only } = settings;
  const kinds =
    only?.filter((kind) => WEIGHTS[kind] > 0) ?? FAULT_KINDS.filter((kind) => WEIGHTS[kind] > 0 && random.chance(0.4));
  if (kinds.length === 0) return [];
  const meanGapMs = detectMs * random.spread(0.7, 15);
  const total = kinds.reduce((sum, kind) => sum + WEIGHTS[kind], 0);
  const faults: Fault[] = [];
  for (let atMs = fromMs; atMs < toMs;) {
    atMs += random.chance(CLOSE) ? random.spread(1, leaseMs) : -Math.log(1 - random.next()) * meanGapMs;
    let draw = random.next() * total;
    const kind = kinds.find((each) => (draw -= WEIGHTS[each]) < 0) ?? kinds[0]!;
    const where = kind.startsWith('cut') ? random.pick(PAIRS) : random.pick(MACHINES);
    const forMs = Math.max(detectMs, leaseMs) * random.spread(0.05, 6);
    faults.push({ atMs, kind, where, forMs, amount: random.next() });
  }
  return faults;
}

/** One step of a story; times in leases, or in detection times where those are longer, drawn from a range. */
export interface Step {
  readonly kind: FaultKind;
  /** As in a fault; `master` and `slave` are those on record when it strikes. */
  readonly where: string;
  /** Since the step before. */
  readonly after: readonly [number, number];
  readonly for: readonly [number, number];
}

/** The same step so many times. */
export const again = (times: number, step: Step): Step[] => Array.from({ length: times }, () => ({ ...step }));

/** Before a story is told again the pair comes to rest: so long, in the story's unit. */
const REST: readonly [number, number] = [4, 12];

/** The same few faults in the same order, again and again, each time a little different. */
export function planStory(random: SeededRandom, story: readonly Step[], settings: PlanSettings): Fault[] {
  const { detectMs, leaseMs, fromMs, toMs } = settings;
  const draw = ([from, to]: readonly [number, number]): number =>
    Math.max(detectMs, leaseMs) * random.between(from, to);
  const faults: Fault[] = [];
  for (let atMs = fromMs + draw(REST); atMs < toMs; atMs += draw(REST)) {
    for (const { kind, where, after, for: lasting } of story) {
      atMs += draw(after);
      faults.push({ atMs, kind, where, forMs: draw(lasting), amount: random.next() });
    }
  }
  return faults;
}

/** So many runs have an operator who changes the configuration. */
const RECONFIGURED = 0.3;

/** Changes of the configuration, planned beside the faults: they reach each machine at another time. */
export function planReconfigurations(random: SeededRandom, settings: PlanSettings): Fault[] {
  const { detectMs, fromMs, toMs, only } = settings;
  if (only === null ? !random.chance(RECONFIGURED) : !only.includes('reconfigure')) return [];
  return Array.from({ length: 1 + random.int(6) }, () => ({
    atMs: random.between(fromMs, toMs),
    kind: 'reconfigure',
    where: 'director',
    forMs: detectMs * random.spread(0.05, 20),
    amount: random.next(),
  }));
}
