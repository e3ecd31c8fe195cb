import type { GroupConfig } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/load.ts';

/** A group on loopback whose app on each node has this port, with a probe as the file has it. */
export function groupWith(ports: readonly [number, number], probe: string): GroupConfig {
  const [a, b] = ports;
  const text = `
cluster: demo
groups:
  world:
    nodes:
      a: { address: 127.0.0.1, control: 11, replication: 12, port: ${a} }
      b: { address: 127.0.0.1, control: 13, replication: 14, port: ${b} }
    app: { ${probe} }
    traffic: []
`;
  const group = parseConfig(text, 'probe-group').config.groups[0];
  if (group === undefined) throw new Error('no group');
  return group;
}

/** What was told, in its order, for tests that wait for it. */
export class Told<Value> {
  readonly all: Value[] = [];
  #more = Promise.withResolvers<undefined>();

  readonly add = (value: Value): void => {
    this.all.push(value);
    this.#more.resolve(undefined);
    this.#more = Promise.withResolvers();
  };

  /** Waits until the last that was told is as wanted. */
  async until(wanted: (value: Value) => boolean): Promise<Value> {
    for (;;) {
      const last = this.all.at(-1);
      if (last !== undefined && wanted(last)) return last;
      await this.#more.promise;
    }
  }
}
