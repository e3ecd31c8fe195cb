import { registerContractTests } from './ipvs/contract.ts';
import { registerDriverTests } from './ipvs/driver.ts';
import { registerSwitchTests } from './ipvs/switch.ts';
import { registerSyncTests } from './ipvs/sync.ts';

/** All in one process and over one net: to make those takes longer than most of the tests. */

registerContractTests();
registerDriverTests();
registerSwitchTests();
registerSyncTests();
