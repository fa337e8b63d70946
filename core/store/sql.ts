// SQLite with the settings of this project, encrypted page by page (SQLite3 Multiple Ciphers: ChaCha20 under a fresh
// nonce, Poly1305, so that a changed page is noticed when it is read), and the little that the rest of the program
// sees of it. Everything is synchronous; only rows of our own come back, so their types are stated and not checked.
//
// Between SQL and TypeScript: NULL is undefined, a BLOB a Uint8Array, INTEGER and REAL a number. Numbers are bound as
// REAL: declare tables STRICT, so that a column decides what they become, and keep integers below 2^53.

import Database from 'better-sqlite3-multiple-ciphers';
import { StoreError, withFaults } from './error.ts';

export type SqlValue = string | number | bigint | Uint8Array | undefined;
/** For `?`, or one object for `$name`. */
export type SqlParameters = readonly SqlValue[] | readonly [{ readonly [name: string]: SqlValue }];

/** A prepared statement. */
export class Query<Parameters extends SqlParameters, Row> {
  readonly #statement: Database.Statement;
  readonly #folder: string;

  constructor(statement: Database.Statement, folder: string) {
    this.#statement = statement;
    this.#folder = folder;
  }

  /** How many rows it changed. */
  run(...parameters: Parameters): number {
    return withFaults(this.#folder, () => this.#statement.run(...parameters).changes);
  }

  /** The first row. */
  one(...parameters: Parameters): Row | undefined {
    const row = withFaults(this.#folder, () => this.#statement.get(...parameters));
    return row === undefined ? undefined : (converted(row) as Row);
  }

  all(...parameters: Parameters): Row[] {
    const rows = withFaults(this.#folder, () => this.#statement.all(...parameters));
    return rows.map((row) => converted(row) as Row);
  }
}

function converted(row: Record<string, unknown>): unknown {
  for (const [name, value] of Object.entries(row)) {
    if (value === null) row[name] = undefined;
    else if (Buffer.isBuffer(value)) row[name] = new Uint8Array(value);
  }
  return row;
}

export class Sql {
  readonly #database: Database;
  readonly #folder: string;

  private constructor(database: Database, folder: string) {
    this.#database = database;
    this.#folder = folder;
  }

  /** Opens a file that exists; an empty one becomes a database. `folder` is what errors name. */
  static open(path: string, key: Uint8Array, folder: string): Sql {
    return withFaults(folder, () => {
      const database = new Database(path, { fileMustExist: true, timeout: 0 });
      try {
        unlock(database, key);
        configure(database);
      } catch (error) {
        database.close();
        throw error;
      }
      return new Sql(database, folder);
    });
  }

  prepare<Parameters extends SqlParameters = [], Row = never>(sql: string): Query<Parameters, Row> {
    return new Query(this.#database.prepare(sql), this.#folder);
  }

  /** Statements separated by semicolons. */
  script(sql: string): void {
    withFaults(this.#folder, () => this.#database.exec(sql));
  }

  /**
   * All of `work` or nothing of it, on disk when this returns. An exception rolls it back and goes on to the caller. A
   * transaction inside another is a savepoint. Each outermost one waits for the disk: put together what belongs
   * together.
   */
  transaction<T>(work: () => T): T {
    return withFaults(this.#folder, () => this.#database.transaction(work)());
  }

  /** Reads and checks everything, 7 ms per MB: StoreError 'damaged' when something is wrong. */
  check(): void {
    const [row] = this.prepare<[], { integrity_check: string }>('pragma integrity_check(1)').all();
    if (row?.integrity_check !== 'ok') {
      throw new StoreError(this.#folder, 'damaged', row?.integrity_check);
    }
  }

  /** Into a new or empty file, encrypted with the same key, on the disk when this returns. 10 ms per MB. */
  copyTo(path: string, folder: string): void {
    withFaults(folder, () => this.#database.prepare('vacuum into ?').run(path));
  }

  close(): void {
    withFaults(this.#folder, () => this.#database.close());
  }
}

/** "raw:" keeps SQLite3 Multiple Ciphers from stretching what is a key already. */
function unlock(database: Database, key: Uint8Array): void {
  const rawKey = Buffer.alloc(4 + key.length);
  rawKey.write('raw:');
  rawKey.set(key, 4);
  database.pragma("cipher = 'chacha20'");
  database.key(rawKey);
  rawKey.fill(0);
}

function configure(database: Database): void {
  // Before the first access in WAL mode: then the lock is kept, and the index of the log stays in memory.
  database.pragma('locking_mode = exclusive');
  database.pragma('journal_mode = wal');
  // What is committed is on the disk, in the log. On a Mac, fsync alone does not see to that.
  database.pragma('synchronous = full');
  database.pragma('fullfsync = on');
  // Temporary files would not be encrypted.
  database.pragma('temp_store = memory');
  // Deleted is deleted also for somebody who learns the key later.
  database.pragma('secure_delete = on');
}
