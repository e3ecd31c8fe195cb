import { type NodeName, otherThan } from '../../test/rig/cluster.ts';
import {
  blackout,
  clockSet,
  cutBothWays,
  cutOneWay,
  DEEDS,
  diskFull,
  type Fault,
  type FaultScene,
  flapping,
  frozen,
  isolated,
  killed,
  lossy,
  operatorDoes,
  type Program,
  rebooted,
  recordsLost,
  storeLost,
  suspended,
} from '../../test/rig/faults.ts';
import type { MachineClocks } from '../../test/rig/machine-clocks.ts';
import type { SmallDisk } from '../../test/rig/small-disk.ts';
import type { SeededRandom } from '../../test/sim/seeded-random.ts';

export interface ChaosScene extends FaultScene {
  readonly disks: Readonly<Record<NodeName, SmallDisk>>;
  readonly clocks: MachineClocks;
}

/** A fault with its time: milliseconds after the beginning of its episode, and how long it lasts. */
export interface TimedFault {
  readonly fault: Fault;
  readonly afterMs: number;
  readonly forMs: number;
}

/** Ends of links that can be cut. */
type End = 'node' | 'other' | 'director' | 'client';
const LINKS: readonly (readonly [End, End])[] = [
  ['node', 'other'],
  ['node', 'other'],
  ['node', 'director'],
  ['other', 'director'],
  ['client', 'node'],
  ['client', 'other'],
  ['client', 'director'],
];

/** What a fault is drawn with; `node` is more often the master than not. */
interface Draw {
  readonly random: SeededRandom;
  readonly scene: ChaosScene;
  readonly node: NodeName;
}

/** How often each kind comes, and how it is drawn. */
const KINDS: readonly (readonly [weight: number, draw: (draw: Draw) => Fault])[] = [
  [4, ({ random, scene, node }) => killed(scene, programOf(random, node))],
  [4, ({ random, scene, node }) => frozen(scene, programOf(random, node))],
  [3, ({ scene, node }) => suspended(scene, node, scene.clocks.of(scene.rig.host(node)))],
  [1, ({ scene, node }) => rebooted(scene, node)],
  [3, ({ scene, node }) => isolated(scene, node)],
  [1, ({ scene }) => isolated(scene, 'director')],
  [2, (draw) => cutOneWay(draw.scene, ...linkOf(draw))],
  [2, (draw) => cutBothWays(draw.scene, ...linkOf(draw))],
  [1, (draw) => lossy(draw.scene, ...linkOf(draw))],
  [2, (draw) => flapping(draw.scene, ...linkOf(draw), () => draw.random.spread(20, 1500))],
  [1, ({ scene, node }) => diskFull(scene, node, scene.disks[node])],
  [3, ({ random, scene }) => operatorDoes(scene, random.pick(DEEDS))],
  [2, (draw) => drawClock(draw)],
  [1, ({ scene }) => storeLost(scene)],
  [1, ({ scene }) => recordsLost(scene)],
  [1, ({ scene }) => blackout(scene)],
];
const WEIGHT = KINDS.reduce((sum, [weight]) => sum + weight, 0);

/** Draws one to four faults that overlap, no two with a target in common. */
export function drawEpisode(random: SeededRandom, scene: ChaosScene, master: NodeName): TimedFault[] {
  const count = random.pick([1, 1, 1, 2, 2, 2, 3, 4]);
  const episode: TimedFault[] = [];
  while (episode.length < count) {
    const node = random.chance(0.7) ? master : otherThan(master);
    const fault = drawFault({ random, scene, node });
    if (episode.some((other) => other.fault.targets.some((target) => fault.targets.includes(target)))) continue;
    // What comes during the work of another counts most.
    const afterMs = episode.length === 0 ? 0 : random.between(0, 3000);
    // Short ones are ridden out, long ones are not.
    const forMs = random.chance(0.5) ? random.spread(100, 1500) : random.between(1500, 6000);
    episode.push({ fault, afterMs, forMs });
  }
  return episode;
}

function drawFault(draw: Draw): Fault {
  let left = draw.random.int(WEIGHT);
  const [, make] = KINDS.find(([weight]) => (left -= weight) < 0)!;
  return make(draw);
}

function programOf(random: SeededRandom, node: NodeName): Program {
  return random.pick<Program>(['controller', `agent ${node}`, `agent ${node}`, `app ${node}`]);
}

function drawClock({ random, scene, node }: Draw): Fault {
  const machine = random.pick([node, 'director']);
  const byMs = random.spread(20, 3_600_000) * random.pick([1, -1]);
  return clockSet(machine, byMs, scene.clocks.of(scene.rig.host(machine)));
}

function linkOf({ random, node }: Draw): [NodeName | 'director' | 'client', NodeName | 'director' | 'client'] {
  const host = (end: End): NodeName | 'director' | 'client' =>
    end === 'node' ? node : end === 'other' ? otherThan(node) : end;
  const [one, other] = random.pick(LINKS);
  return random.chance(0.5) ? [host(one), host(other)] : [host(other), host(one)];
}
