import { setTimeout as pause } from 'node:timers/promises';
import { type Cluster, GROUP, type NodeName } from '../rig/cluster.ts';
import {
  cutBothWays,
  cutOneWay,
  diskFull,
  type Fault,
  type FaultScene,
  flapping,
  frozen,
  isolated,
  killed,
  lossy,
} from '../rig/faults.ts';
import type { SmallDisk } from '../rig/small-disk.ts';
import { until } from '../rig/until.ts';
import { connect } from '../../src/sdk/index.ts';

/** A pair with its parts: what befalls whom depends on who is master. */
export interface MatrixScene extends FaultScene {
  readonly master: NodeName;
  readonly slave: NodeName;
  readonly disks: Readonly<Record<NodeName, SmallDisk>>;
}

export interface MatrixFault {
  readonly name: string;
  /** Whether the other node has to become master if this befalls a pair that does nothing special. */
  readonly moves: boolean;
  readonly make: (scene: MatrixScene) => Fault;
}

const PROGRAM_FAULTS: readonly MatrixFault[] = (['app', 'agent'] as const).flatMap((kind) =>
  (['master', 'slave'] as const).flatMap((part) => [
    {
      name: `${kind} of the ${part} killed`,
      moves: part === 'master',
      make: (scene: MatrixScene) => killed(scene, `${kind} ${scene[part]}`),
    },
    {
      name: `${kind} of the ${part} frozen`,
      moves: part === 'master',
      make: (scene: MatrixScene) => frozen(scene, `${kind} ${scene[part]}`),
    },
  ]),
);

type End = 'master' | 'slave' | 'director';

const LINK_FAULTS: readonly MatrixFault[] = (
  [
    ['master', 'slave'],
    ['master', 'director'],
    ['slave', 'director'],
  ] as const
).flatMap(([one, other]) => {
  const host = (scene: MatrixScene, end: End): NodeName | 'director' => (end === 'director' ? end : scene[end]);
  return [
    {
      name: `${one} to ${other} cut`,
      moves: false,
      make: (scene: MatrixScene) => cutOneWay(scene, host(scene, one), host(scene, other)),
    },
    {
      name: `${other} to ${one} cut`,
      moves: false,
      make: (scene: MatrixScene) => cutOneWay(scene, host(scene, other), host(scene, one)),
    },
    {
      name: `${one} and ${other} cut`,
      moves: false,
      make: (scene: MatrixScene) => cutBothWays(scene, host(scene, one), host(scene, other)),
    },
  ];
});

export const FAULTS: readonly MatrixFault[] = [
  ...PROGRAM_FAULTS,
  { name: 'controller killed', moves: false, make: (scene) => killed(scene, 'controller') },
  { name: 'controller frozen', moves: false, make: (scene) => frozen(scene, 'controller') },
  ...LINK_FAULTS,
  { name: 'master isolated', moves: true, make: (scene) => isolated(scene, scene.master) },
  { name: 'slave isolated', moves: false, make: (scene) => isolated(scene, scene.slave) },
  {
    name: 'master and slave flapping',
    moves: false,
    make: (scene) => flapping(scene, scene.master, scene.slave, () => 150),
  },
  { name: 'master and slave lossy', moves: false, make: (scene) => lossy(scene, scene.master, scene.slave) },
  {
    name: 'disk of the master full',
    moves: true,
    make: (scene) => diskFull(scene, scene.master, scene.disks[scene.master]),
  },
  {
    name: 'disk of the slave full',
    moves: false,
    make: (scene) => diskFull(scene, scene.slave, scene.disks[scene.slave]),
  },
];

/** What the pair is in the middle of when the fault comes. `end` is called after the fault's own. */
export interface Phase {
  readonly name: string;
  begin(scene: MatrixScene): Promise<void>;
  end(scene: MatrixScene): Promise<void>;
}

const nothing = async (): Promise<void> => {};

/** Written while the slave is away, so that its catch-up, at the rate of `CATCH_UP_RATE`, takes some time. */
const BACKLOG = { values: 16, bytes: 65_536 };
export const CATCH_UP_RATE = '512KiB/s';

export const STEADY: Phase = { name: 'steady state', begin: nothing, end: nothing };

const FAILOVER: Phase = {
  name: 'failover',
  async begin({ cluster, master }) {
    cluster.agent(master).freeze();
    await stageOtherThan(cluster, 'serving');
  },
  end: async ({ cluster, master }) => cluster.agent(master).thaw(),
};

const SWITCHOVER: Phase = {
  name: 'planned switch',
  async begin({ cluster, slave }) {
    const request = { group: GROUP, node: slave, operator: 'rig', dryRun: false, force: false, allowDataLoss: false };
    await cluster.api.promote(request);
  },
  end: nothing,
};

const REJOIN: Phase = {
  name: 'catch-up',
  async begin({ cluster, master, slave }) {
    await cluster.agent(slave).kill();
    await writeBacklog(cluster, master);
    await cluster.startAgent(slave);
    await until('the slave to catch up', async () => {
      const { nodes, protectedBy } = await cluster.status();
      return nodes.some(({ catchUp }) => catchUp !== null) || protectedBy.length > 0;
    });
  },
  end: nothing,
};

export const PHASES: readonly Phase[] = [STEADY, FAILOVER, SWITCHOVER, REJOIN];

/** How long a fault lasts that nothing is expected of: longer than it takes to be noticed, shorter than most reactions. */
const FAULT_MS = 1200;

/** Lets a fault befall the pair in a phase, until it has had its effect, and ends both. */
export async function befall(scene: MatrixScene, matrixFault: MatrixFault, phase: Phase): Promise<void> {
  const { cluster, master } = scene;
  await phase.begin(scene);
  const fault = matrixFault.make(scene);
  await fault.begin();
  if (phase === STEADY && matrixFault.moves) {
    await until('the other node to be master', async () => (await cluster.status()).master !== master, 30_000);
  } else await pause(FAULT_MS);
  await fault.end();
  await phase.end(scene);
}

async function stageOtherThan(cluster: Cluster, stage: string): Promise<void> {
  await until(`the end of ${stage}`, async () => (await cluster.status()).stage !== stage);
}

async function writeBacklog(cluster: Cluster, master: NodeName): Promise<void> {
  const state = connect({ socket: cluster.socket(master) });
  try {
    for (let index = 0; index < BACKLOG.values; index += 1) {
      await state.set(`backlog:${index}`, Buffer.alloc(BACKLOG.bytes, index));
    }
  } finally {
    await state.close();
  }
}
