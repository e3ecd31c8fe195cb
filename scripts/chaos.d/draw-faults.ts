import type { NodeName } from '../../test/rig/cluster.ts';
import { NODES } from '../../test/rig/cluster.ts';
import {
  blackout,
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
  PROGRAMS,
  rebooted,
  recordsLost,
  storeLost,
  suspended,
} from '../../test/rig/faults.ts';
import type { SmallDisk } from '../../test/rig/small-disk.ts';
import type { SeededRandom } from '../../test/sim/seeded-random.ts';

export interface ChaosScene extends FaultScene {
  readonly disks: Readonly<Record<NodeName, SmallDisk>>;
}

/** A fault with its time: milliseconds after the beginning of its episode, and how long it lasts. */
export interface TimedFault {
  readonly fault: Fault;
  readonly afterMs: number;
  readonly forMs: number;
}

const LINKS = [
  ['a', 'b'],
  ['a', 'director'],
  ['b', 'director'],
  ['client', 'a'],
  ['client', 'b'],
  ['client', 'director'],
] as const;

/** Draws one to three faults that overlap, no two with a target in common. */
export function drawEpisode(random: SeededRandom, scene: ChaosScene): TimedFault[] {
  const count = random.pick([1, 1, 1, 2, 2, 3, 4]);
  const episode: TimedFault[] = [];
  while (episode.length < count) {
    const fault = drawFault(random, scene);
    if (episode.some((other) => other.fault.targets.some((target) => fault.targets.includes(target)))) continue;
    // Short ones are ridden out, long ones are not; what comes during the work of another counts most.
    const afterMs = episode.length === 0 ? 0 : random.between(0, 2500);
    episode.push({ fault, afterMs, forMs: random.spread(100, 8000) });
  }
  return episode;
}

function drawFault(random: SeededRandom, scene: ChaosScene): Fault {
  const [one, other] = random.pick(LINKS);
  switch (random.int(12)) {
    case 0:
    case 1:
      return killed(scene, random.pick(PROGRAMS));
    case 2:
    case 3:
      return frozen(scene, random.pick(PROGRAMS));
    case 4:
      return random.chance(0.5) ? cutOneWay(scene, one, other) : cutOneWay(scene, other, one);
    case 5:
      return cutBothWays(scene, one, other);
    case 6:
      return random.chance(0.3) ? lossy(scene, one, other) : flapping(scene, one, other, () => random.spread(20, 1500));
    case 7:
      return isolated(scene, random.pick([...NODES, 'director'] as const));
    case 8: {
      const node = random.pick(NODES);
      return diskFull(scene, node, scene.disks[node]);
    }
    case 9:
      return operatorDoes(scene, random.pick(DEEDS));
    case 10:
      return random.chance(0.5) ? suspended(scene, random.pick(NODES)) : rebooted(scene, random.pick(NODES));
    default:
      return random.pick([storeLost, recordsLost, blackout])(scene);
  }
}
