import { BatchAssembler } from '../../../src/replication/link/batch-assembler.ts';
import type { Log } from '../../../src/replication/log/log.ts';

/** Decides before each batch whether the transfer is broken off here; what it does to the slave then is its own matter. */
export type BreakOff = (ofSegment: boolean) => Promise<boolean>;

/**
 * Brings `slave` up to the end of `master` as the link does: complete segments whole where it can be, else batches. Resolves
 * to the number of segments that came whole.
 */
export async function shipLog(master: Log, slave: Log, breaksOff: BreakOff): Promise<number> {
  let whole = 0;
  while (slave.end.seq < master.end.seq) {
    const shipped = await shipNext(master, slave, breaksOff);
    if (shipped === null) return whole;
    whole += shipped;
  }
  return whole;
}

async function shipNext(master: Log, slave: Log, breaksOff: BreakOff): Promise<number | null> {
  const shipment = master.ship(slave.end.seq);
  if (shipment === null) {
    const { bytes } = await master.readAfter(slave.end.seq, 1);
    if (await breaksOff(false)) return null;
    if (!slave.isSettled) await slave.settle();
    slave.append(bytes!);
    return 0;
  }
  try {
    const parts = { hint: [] as Uint8Array[], batch: [] as Uint8Array[] };
    for (let last = false; !last;) {
      const part = await shipment.next(4096);
      parts[part.kind].push(Uint8Array.from(part.bytes));
      ({ last } = part);
    }
    slave.expect(Buffer.concat(parts.hint));
    const expected = slave.isExpecting;
    const batches: Uint8Array[] = [];
    new BatchAssembler().push(Buffer.concat(parts.batch), (batch) => batches.push(Uint8Array.from(batch)));
    for (const batch of batches) {
      if (await breaksOff(expected)) return null;
      slave.append(batch);
    }
    return expected ? 1 : 0;
  } finally {
    shipment.close();
  }
}
