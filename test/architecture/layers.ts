/** Which part of src may import which: the table of the design, and nothing else. */

/** From the bottom up: a part imports only from lower rows, never from its neighbours in a row. */
const LAYERS: readonly (readonly string[])[] = [
  ['kit'],
  ['model'],
  ['config', 'protocol'],
  ['transport'],
  ['controller', 'replication'],
  ['agent', 'probes', 'traffic', 'records', 'telemetry', 'api'],
  ['daemon'],
  ['commands'],
];

/** What runs inside other people's programs imports little, and nothing of ours imports it. */
const SDK_IMPORTS: readonly string[] = ['kit', 'model', 'protocol'];

/** Why part `from` may not import part `to`; null if it may. */
export function forbidden(from: string, to: string): string | null {
  if (from === to) return null;
  if (from === 'sdk') return SDK_IMPORTS.includes(to) ? null : `sdk imports ${SDK_IMPORTS.join(', ')} only`;
  if (to === 'sdk') return 'sdk is for programs outside hsctl';
  const [fromRow, toRow] = [rowOf(from), rowOf(to)];
  if (fromRow < 0 || toRow < 0) return `${fromRow < 0 ? from : to} is no part of the design`;
  if (fromRow === toRow) return `${from} and ${to} are neighbours`;
  return fromRow > toRow ? null : `${to} is above ${from}`;
}

function rowOf(part: string): number {
  return LAYERS.findIndex((row) => row.includes(part));
}

/** Parts that are pure: values in, values out. Paths below src. */
const PURE = [
  /^model\//,
  /^protocol\//,
  /^controller\/(?!(ports|group-ports|group-controller|record-keeper|fence-runner|traffic-mover)\.ts$)/,
  /^replication\/core\//,
  /^agent\/core\//,
  /^traffic\/(.*[/-])?plan\.ts$/,
];

export function isPure(path: string): boolean {
  return PURE.some((pattern) => pattern.test(path));
}
