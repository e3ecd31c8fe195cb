import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toolSync } from './tool.ts';

/**
 * What a rig leaves on the machine carries its owner in the name: `hsrig-<pid>-<start of that process>-<number>`.
 * So a later run can tell the remains of a dead process from the rig of a living one.
 */
const NAME = /^hsrig-(\d+)-(\d+)-\d+/;

/** Start of a process in kernel ticks, which tells it from a later one of the same pid; null if there is none. */
export function startOf(pid: number | 'self'): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

let made = 0;

/** A new name for a rig of this process. */
export function newRigId(): string {
  return `hsrig-${process.pid}-${startOf('self')}-${++made}`;
}

function namespaces(): string[] {
  const lines = toolSync(['ip', 'netns', 'list']).split('\n');
  return lines.map((line) => line.split(' ')[0] ?? '').filter((name) => NAME.test(name));
}

function folders(): string[] {
  return readdirSync(tmpdir()).filter((name) => NAME.test(name));
}

/** Ends every process in a namespace of the rig, by pid, and removes the namespace with all its devices. */
function removeNamespace(name: string): void {
  for (const pid of toolSync(['ip', 'netns', 'pids', name]).split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // it ended by itself
    }
  }
  toolSync(['ip', 'netns', 'del', name]);
}

/** File systems that were mounted below a folder, the innermost first. */
function mountsBelow(folder: string): string[] {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  const points = mounts.map((line) => line.split(' ')[1] ?? '');
  return points.filter((point) => point.startsWith(`${folder}/`)).toReversed();
}

function removeFolder(folder: string): void {
  for (const point of mountsBelow(folder)) toolSync(['umount', '--lazy', point]);
  rmSync(folder, { recursive: true, force: true });
}

/** Removes all that the rig `id` left on the machine: processes, namespaces, files. Safe to repeat. */
export function removeRig(id: string): void {
  for (const name of namespaces()) if (name.startsWith(`${id}-`)) removeNamespace(name);
  for (const name of folders()) if (name === id) removeFolder(join(tmpdir(), name));
}

/** Removes what rigs of dead processes left; gives their ids. */
export function sweepRigs(): string[] {
  const dead = new Set<string>();
  for (const name of [...namespaces(), ...folders()]) {
    const [id, pid, start] = NAME.exec(name) ?? [];
    if (id !== undefined && startOf(Number(pid)) !== start) dead.add(id);
  }
  for (const id of dead) removeRig(id);
  return [...dead];
}

/** Namespaces and folders that belong to the rig `id`; empty once it is closed. */
export function remainsOf(id: string): string[] {
  return [...namespaces(), ...folders()].filter((name) => name === id || name.startsWith(`${id}-`));
}
