import { BUFFER_BYTES } from '../../../src/replication/log/write-buffers.ts';
import { NodeDisk } from '../../../src/replication/log/node-disk.ts';

/** Writes numbers, 1 and on, of four bytes each, to the file that it is called with, as bulk, until it is killed. */
const file = new NodeDisk().open(process.argv[2]!, 'create');
const words = new Uint32Array(BUFFER_BYTES / 16 + 1);
const bytes = new Uint8Array(words.buffer);
for (let position = 0; ; position += bytes.length) {
  for (let index = 0; index < words.length; index++) words[index] = position / 4 + index + 1;
  file.writeBulk(bytes, position);
  if (!file.hasBulkRoom) await file.bulkRoom();
  if (position === 0) process.stdout.write('writes\n');
}
