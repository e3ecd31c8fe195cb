/** Where the nodes of the bench are: each has a loopback address of its own, so that all may use the same ports. */

export const CONTROL_PORT = 7401;
export const APP_PORT = 9000;
export const HEARTBEAT_MS = 100;
export const CLUSTER = 'scale';
export const NODES = ['a', 'b'] as const;

export function groupName(index: number): string {
  return `g${index}`;
}

export function nodeAddress(group: number, node: number): string {
  return address(78, NODES.length * group + node + 1);
}

/** Where clients of a group connect. */
export function proxyAddress(group: number): string {
  return address(79, group + 1);
}

function address(net: number, number: number): string {
  return `127.${net}.${number >> 8}.${number & 255}`;
}
