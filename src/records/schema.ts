import type { DatabaseSync } from 'node:sqlite';
import { HsctlError } from '../kit/errors.ts';

/**
 * Steps from one version of the tables to the next; the file's `user_version` is the number of steps taken.
 * A step that was released is never changed. Records and events are JSON, checked by their own schemas when read:
 * the columns beside it are what SQL has to find and to guard.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE records (
     group_name TEXT PRIMARY KEY,
     revision INTEGER NOT NULL,
     epoch INTEGER NOT NULL,
     json TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE events (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     group_name TEXT NOT NULL,
     json TEXT NOT NULL
   ) STRICT;
   CREATE INDEX events_of_group ON events (group_name, id);
   CREATE TABLE numbers (
     name TEXT PRIMARY KEY,
     value REAL NOT NULL
   ) STRICT, WITHOUT ROWID;`,
];

/** Version that this program reads and writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Brings the tables to `SCHEMA_VERSION`, each step in a transaction of its own.
 * @throws HsctlError('disk') if a newer program wrote the file.
 */
export function migrate(database: DatabaseSync, path: string): void {
  const row = database.prepare('PRAGMA user_version').get();
  const version = Number(row?.['user_version']);
  if (version > SCHEMA_VERSION) {
    throw new HsctlError(
      'disk',
      `${path} was written by a newer hsctl (format ${version}, this one knows ${SCHEMA_VERSION})`,
      'run the newer version again, or move the file away to start with empty records',
    );
  }
  for (let step = version; step < SCHEMA_VERSION; step++) {
    database.exec(`BEGIN IMMEDIATE; ${MIGRATIONS[step]}; PRAGMA user_version = ${step + 1}; COMMIT;`);
  }
}
