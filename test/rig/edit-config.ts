import { readFileSync, writeFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { type Cluster, GROUP } from './cluster.ts';

/** A group as the rig's file has it. */
export interface GroupFile {
  nodes: Record<string, Record<string, unknown>>;
  app: Record<string, unknown>;
  traffic: object[];
  failover: Record<string, string>;
  notify?: readonly string[];
}

export interface ConfigFile {
  cluster: string;
  groups: Record<string, GroupFile>;
}

/** Writes the configuration of the cluster anew, as `change` has made it. Nothing reads it by itself. */
export function editConfig(cluster: Cluster, change: (group: GroupFile, file: ConfigFile) => void): void {
  const file = parse(readFileSync(cluster.configFile, 'utf8')) as ConfigFile;
  const group = file.groups[GROUP];
  if (group === undefined) throw new Error(`the file has no group ${GROUP}`);
  change(group, file);
  writeFileSync(cluster.configFile, stringify(file));
}
