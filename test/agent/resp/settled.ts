import assert from 'node:assert/strict';
import type { Harness } from './harness.ts';
import type { RawClient } from './raw-client.ts';

/** Returns when the service has certainly done what was sent to it before on other connections. */
export async function settled({ connect }: Harness): Promise<void> {
  const client = connect();
  for (let round = 0; round < 3; round++) assert.equal(await client.ask('PING'), 'PONG');
  await client.close();
}

export async function assertSilent(harness: Harness, client: RawClient): Promise<void> {
  await settled(harness);
  assert.equal(client.unasked, 0);
}
