// The files of a profile in its folder, and how they come to be there without a crash leaving half a profile:
//
//   1. store.db.new    the database, closed and on the disk
//   2. store.key       written atomically: from now on the profile exists
//   3. store.db        renamed from store.db.new; whoever opens the profile does it if we could not
//
// What only step 1 was done for is swept away by the next attempt. A key file without a database, or the reverse, is
// therefore never our doing but a loss, and is never answered with an empty profile.

import { open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DecodeError } from '../bytes/index.ts';
import { fileError, makeFolder, readFile, writeFileAtomic } from '../runtime/index.ts';
import { StoreError } from './error.ts';
import { decodeKeyFile, encodeKeyFile, KEY_FILE_BYTES_MAX, type KeyFile } from './key-file.ts';

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

export class ProfileFiles {
  readonly folder: string;
  readonly database: string;
  readonly lock: string;
  readonly #key: string;
  readonly #unfinished: string;

  constructor(folder: string) {
    this.folder = folder;
    this.database = join(folder, 'store.db');
    this.lock = join(folder, 'store.lock');
    this.#key = join(folder, 'store.key');
    this.#unfinished = `${this.database}.new`;
  }

  /** Whether there is a profile, or what is left of one. */
  async exist(): Promise<boolean> {
    const sizes = [await sizeOf(this.#key), await sizeOf(this.database)];
    return sizes.some((size) => size !== undefined);
  }

  async readKey(): Promise<KeyFile> {
    try {
      const { bytes } = await readFile(this.#key, KEY_FILE_BYTES_MAX);
      const key = decodeKeyFile(bytes);
      if (key !== 'too new') return key;
    } catch (error) {
      if (error instanceof DecodeError) throw this.#damaged('store.key', error.message);
      if (isMissing(error)) throw this.#damaged('store.key', 'is missing');
      throw error;
    }
    throw new StoreError(this.folder, 'too new', 'store.key');
  }

  /** The folder and the lock file in it, where they are missing. */
  async prepare(): Promise<void> {
    await makeFolder(this.folder, FOLDER_MODE);
    await createEmpty(this.lock);
  }

  /** `build` turns an empty file into a closed database. */
  async install(key: KeyFile, build: (path: string) => void): Promise<void> {
    await this.#sweep();
    await createEmpty(this.#unfinished);
    try {
      build(this.#unfinished);
    } catch (error) {
      await this.#sweep();
      throw error;
    }
    await this.writeKey(key);
    await rename(this.#unfinished, this.database);
  }

  async writeKey(key: KeyFile): Promise<void> {
    const options = { mode: FILE_MODE, existing: 'replace' } as const;
    await writeFileAtomic(this.#key, encodeKeyFile(key), options);
  }

  /** SQLite would take an empty file for a new database. */
  async expectDatabase(): Promise<void> {
    const isUnfinished = (await sizeOf(this.#unfinished)) !== undefined;
    if (isUnfinished && (await sizeOf(this.database)) === undefined) {
      await rename(this.#unfinished, this.database);
    }
    const size = await sizeOf(this.database);
    if (size === undefined) throw this.#damaged('store.db', 'is missing');
    if (size === 0) throw this.#damaged('store.db', 'is empty');
  }

  async #sweep(): Promise<void> {
    for (const ending of ['', '-wal', '-journal']) {
      await rm(this.#unfinished + ending, { force: true });
    }
  }

  #damaged(file: string, what: string): StoreError {
    return new StoreError(this.folder, 'damaged', `${file}: ${what}`);
  }
}

/** SQLite makes its log with the mode of the database, but the database with that of the umask. */
async function createEmpty(path: string): Promise<void> {
  try {
    await (await open(path, 'wx', FILE_MODE)).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && fileError('', error, 'not found').fault === 'not found';
}
