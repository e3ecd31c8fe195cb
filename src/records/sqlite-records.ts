import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { z } from 'zod';
import type { NewEvent, Records, Saved } from '../controller/ports.ts';
import { HsctlError } from '../kit/errors.ts';
import { makeDirectory } from '../kit/make-directory.ts';
import { groupEventSchema, type GroupEvent } from '../model/event.ts';
import { groupRecordSchema, type GroupRecord } from '../model/group-record.ts';
import { migrate } from './schema.ts';
import { sqliteError } from './sqlite-errors.ts';

/** Events kept of each group; older ones are dropped when newer ones are written. */
const EVENTS_PER_GROUP = 1_000;

const LONGEST_GRANT = 'longest_grant_ms';
/** Counts, so that each time another value is written: SQLite leaves out what changes nothing. */
const SETTLED = 'settled';
const storedEventSchema = groupEventSchema.omit({ id: true });

/** What is waiting for stable storage: a record, or none, and events, as the tables have them. */
interface Submission {
  readonly record: GroupRecord | null;
  readonly json: string;
  readonly settles?: boolean;
  readonly events: readonly NewEvent[];
  readonly onSaved: Saved;
}

/** Submissions of one transaction: it must not keep the event loop from the heartbeats. */
const TOGETHER = 250;

/**
 * The controller's durable state in one SQLite file. Write-ahead log with `synchronous=FULL`: a commit has been fsynced
 * when it returns. What is submitted in one turn of the event loop is one transaction: with many groups, the time that
 * the disk needs counts once, not once for each. The lock is exclusive and kept, so that a second controller on the same
 * state cannot start.
 *
 * A commit whose fsync fails is undone here, but its frames stay at the end of the write-ahead log, whole, until the next
 * commit is written over them: whoever opens the file after a crash finds it done. So `settle` commits something.
 */
export class SqliteRecords implements Records {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #eventsPerGroup: number;
  readonly #statements: Statements;
  #submitted: Submission[] = [];
  #isClosed = false;

  /**
   * Opens the file, or makes it with its directory.
   * @throws HsctlError('disk') if it cannot be opened, is damaged, is in use, or was written by a newer version.
   */
  constructor(path: string, options: { readonly eventsPerGroup?: number } = {}) {
    this.#path = path;
    this.#eventsPerGroup = options.eventsPerGroup ?? EVENTS_PER_GROUP;
    this.#database = this.#guard(() => open(path));
    try {
      this.#guard(() => prepare(this.#database, path));
      this.#statements = statementsOf(this.#database);
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  load(): Map<string, GroupRecord> {
    return this.#guard(() => {
      const rows = this.#database.prepare('SELECT group_name, json FROM records ORDER BY group_name').all();
      return new Map(
        rows.map((row) => {
          const record = this.#parse(groupRecordSchema, row['json'], `record of group ${String(row['group_name'])}`);
          return [record.group, record];
        }),
      );
    });
  }

  save(record: GroupRecord, events: readonly NewEvent[], onSaved: Saved): void {
    // What could not be read back must not be written: it would keep the controller from starting again.
    this.#submit({ record, json: JSON.stringify(groupRecordSchema.parse(record)), events, onSaved });
  }

  append(events: readonly NewEvent[], onSaved: Saved = () => undefined): void {
    this.#submit({ record: null, json: '', events, onSaved });
  }

  settle(onSettled: (error: HsctlError | null) => void): void {
    this.#submit({ record: null, json: '', settles: true, events: [], onSaved: onSettled });
  }

  events(query: { group?: string; afterId?: number; limit: number }): readonly GroupEvent[] {
    const group = query.group ?? null;
    const afterId = query.afterId ?? 0;
    const order = query.afterId === undefined ? 'DESC' : 'ASC';
    return this.#guard(() => {
      const rows = this.#database
        .prepare(
          `SELECT id, json FROM events WHERE id > ?1 AND ${group === null ? '?2 IS NULL' : 'group_name = ?2'}
           ORDER BY id ${order} LIMIT ?3`,
        )
        .all(afterId, group, query.limit);
      if (order === 'DESC') rows.reverse();
      return rows.map((row) => {
        const id = Number(row['id']);
        return { id, ...this.#parse(storedEventSchema, row['json'], `event ${id}`) };
      });
    });
  }

  longestGrantMs(): number {
    return this.#guard(() => {
      const row = this.#database.prepare('SELECT value FROM numbers WHERE name = ?').get(LONGEST_GRANT);
      return Number(row?.['value'] ?? 0);
    });
  }

  saveLongestGrantMs(durationMs: number): void {
    this.#transaction(() =>
      this.#database
        .prepare(
          'INSERT INTO numbers (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
        )
        .run(LONGEST_GRANT, durationMs),
    );
  }

  close(): void {
    while (this.#submitted.length > 0) this.#commit();
    this.#isClosed = true;
    this.#database.close();
  }

  #submit(submission: Submission): void {
    if (this.#isClosed) return;
    if (this.#submitted.length === 0) setImmediate(() => this.#commit());
    this.#submitted.push(submission);
  }

  /** Saves what was submitted, and tells each submitter what came of it. */
  #commit(): void {
    const batch = this.#submitted.splice(0, TOGETHER);
    if (batch.length === 0) return;
    if (this.#submitted.length > 0) setImmediate(() => this.#commit());
    const outcomes = this.#write(batch);
    for (const [index, { onSaved }] of batch.entries()) {
      const outcome = outcomes[index]!;
      if (outcome instanceof HsctlError) onSaved(outcome, []);
      else onSaved(null, outcome);
    }
  }

  /** Of each submission, in one transaction, its events with their ids, or why nothing of it was kept. */
  #write(batch: readonly Submission[]): readonly (HsctlError | readonly GroupEvent[])[] {
    try {
      return this.#transaction(() => batch.map((submission) => this.#keep(submission)));
    } catch (error) {
      if (error instanceof HsctlError) return batch.map(() => error);
      throw error;
    }
  }

  #keep({ record, json, settles, events }: Submission): HsctlError | readonly GroupEvent[] {
    if (settles) this.#statements.count.run(SETTLED);
    if (record !== null) {
      const row = this.#statements.revision.get(record.group);
      const refusal = row === undefined ? null : stepBack(record, Number(row['revision']), Number(row['epoch']));
      if (refusal !== null) return refusal;
      this.#statements.save.run(record.group, record.revision, record.epoch, json);
    }
    return this.#insert(events);
  }

  /** Writes the events, gives them their ids, and drops what is beyond the bound of their groups. */
  #insert(events: readonly NewEvent[]): readonly GroupEvent[] {
    const { insert, prune } = this.#statements;
    const saved = events.map((event) => {
      const { lastInsertRowid } = insert.run(event.group, JSON.stringify(storedEventSchema.parse(event)));
      return { id: Number(lastInsertRowid), ...event };
    });
    for (const group of new Set(events.map((event) => event.group))) prune.run(group, this.#eventsPerGroup);
    return saved;
  }

  #transaction<Result>(work: () => Result): Result {
    return this.#guard(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        this.#database.exec('COMMIT');
        return result;
      } catch (error) {
        // Some failures (disk full) have rolled back already.
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  #parse<Schema extends z.ZodType>(schema: Schema, json: unknown, what: string): z.infer<Schema> {
    try {
      return schema.parse(JSON.parse(String(json)));
    } catch (error) {
      throw new HsctlError('disk', `${this.#path}: the ${what} is damaged`, 'restore the file from a backup', {
        cause: error,
      });
    }
  }

  #guard<Result>(action: () => Result): Result {
    try {
      return action();
    } catch (error) {
      throw sqliteError(error, this.#path);
    }
  }
}

function open(path: string): DatabaseSync {
  try {
    makeDirectory(dirname(path), 0o750);
  } catch (error) {
    throw new HsctlError(
      'disk',
      `the state directory ${dirname(path)} cannot be made`,
      'make it, writable for the controller',
      {
        cause: error,
      },
    );
  }
  return new DatabaseSync(path, { timeout: 0 });
}

function prepare(database: DatabaseSync, path: string): void {
  database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  // Takes the lock now, and finds out now whether the file may be written at all.
  database.exec('BEGIN IMMEDIATE; COMMIT');
  const check = database.prepare('PRAGMA quick_check(1)').get();
  if (check?.['quick_check'] !== 'ok') {
    throw new HsctlError(
      'disk',
      `${path} is damaged: ${String(check?.['quick_check'])}`,
      'restore it from a backup, or move it away to start with empty records',
    );
  }
  migrate(database, path);
}

interface Statements {
  readonly revision: StatementSync;
  readonly save: StatementSync;
  readonly count: StatementSync;
  readonly insert: StatementSync;
  readonly prune: StatementSync;
}

/** What is run for each decision. */
function statementsOf(database: DatabaseSync): Statements {
  return {
    revision: database.prepare('SELECT revision, epoch FROM records WHERE group_name = ?'),
    save: database.prepare(
      `INSERT INTO records (group_name, revision, epoch, json) VALUES (?, ?, ?, ?)
       ON CONFLICT (group_name) DO UPDATE SET revision = excluded.revision, epoch = excluded.epoch, json = excluded.json`,
    ),
    count: database.prepare(
      'INSERT INTO numbers (name, value) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1',
    ),
    insert: database.prepare('INSERT INTO events (group_name, json) VALUES (?, ?)'),
    prune: database.prepare(
      `DELETE FROM events WHERE group_name = ?1 AND id <=
         (SELECT id FROM events WHERE group_name = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)`,
    ),
  };
}

/** A record only ever moves forward: whoever saves an older one has missed a decision. */
function stepBack(record: GroupRecord, revision: number, epoch: number): HsctlError | null {
  if (record.revision > revision && record.epoch >= epoch) return null;
  return new HsctlError(
    'refused',
    `group ${record.group}: revision ${record.revision} of epoch ${record.epoch} cannot follow revision ${revision} of epoch ${epoch}`,
    'restart the controller, so that it reads its records again',
  );
}
