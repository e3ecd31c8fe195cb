import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countOpen } from '../../../src/traffic/connections/parse.ts';

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 20110 1 0000000000000000 100 0 0 10 0
   1: 0100007F:2328 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 20111 1 0000000000000000 20 4 30 10 -1
   2: 0100007F:C001 0100007F:2328 01 00000000:00000000 00:00000000 00000000     0        0 20112 1 0000000000000000 20 4 30 10 -1
   3: 0100007F:2328 0100007F:2328 01 00000000:00000000 00:00000000 00000000     0        0 20113 1 0000000000000000 20 4 30 10 -1
   4: 0100007F:2328 0100007F:C002 06 00000000:00000000 00:00000000 00000000     0        0 0 3 0000000000000000
   5: 0100007F:0050 0100007F:C003 01 00000000:00000000 00:00000000 00000000     0        0 20114 1 0000000000000000 20 4 30 10 -1
`;
const TABLE6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:2328 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 00000000000000000000000001000000:2328 00000000000000000000000001000000:C001 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 20 4 30 10 -1
`;

describe('countOpen', () => {
  it('counts established connections whose local port it is, once each', () => {
    assert.equal(countOpen(TABLE, 9000), 2);
    assert.equal(countOpen(TABLE, 80), 1);
    assert.equal(countOpen(TABLE6, 9000), 1);
  });

  it('counts nothing for other ports and in an empty table', () => {
    assert.equal(countOpen(TABLE, 9001), 0);
    assert.equal(countOpen('', 9000), 0);
  });
});
