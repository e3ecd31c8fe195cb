import { writeSync } from 'node:fs';
import { HsctlError } from '../../src/kit/errors.ts';
import { SqliteRecords } from '../../src/records/sqlite-records.ts';
import { eventOf, recordOf, save } from './register-records-tests.ts';

/** Saves one revision after another and prints each number once its save has returned, until killed or refused. */
const [path = '', last = '0'] = process.argv.slice(2);
const records = new SqliteRecords(path);
try {
  for (let revision = Number(last) + 1; ; revision++) {
    await save(records, recordOf('world', revision), [eventOf('world', `revision ${revision}`)]);
    writeSync(1, `${revision}\n`);
  }
} catch (error) {
  writeSync(2, `${error instanceof HsctlError ? error.code : 'bug'}: ${String(error)}\n`);
  process.exitCode = 1;
}
