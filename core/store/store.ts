// A profile's store: one encrypted database, open in one process at a time. What a transaction has written when it
// returns is there after the process or the machine dies at any moment. Opening is asynchronous, because of scrypt and
// the files; working with the tables is not.

import { resolve } from 'node:path';
import { KEY_BYTES } from '../crypto/index.ts';
import { randomBytes } from '../runtime/index.ts';
import { StoreError, withFaultsAsync } from './error.ts';
import { ProfileFiles } from './files.ts';
import { type KeyFile, openKey, type ProfileSecret, type Sealer, sealKey } from './key-file.ts';
import { lockProfile, type ProfileLock } from './lock.ts';
import { migrate, type Schema } from './migrations.ts';
import { Settings, settingsSchema } from './settings.ts';
import { Sql } from './sql.ts';

export interface StoreOptions extends Sealer {
  readonly folder: string;
  readonly secret: ProfileSecret;
  /** Of every module there is, running or not: a file with tables of an unknown module is 'too new'. */
  readonly schemas: readonly Schema[];
  /** What to do where there is no profile yet. */
  readonly missing: 'create' | 'refuse';
}

/**
 * What to ask for before `openStore`; undefined where there is no profile yet. Throws StoreError, also 'in use', so
 * that nobody types a passphrase in vain.
 */
export async function secretKind(folder: string): Promise<KeyFile['kind'] | undefined> {
  const files = new ProfileFiles(resolve(folder));
  return await withFaultsAsync(files.folder, async () => {
    if (!(await files.exist())) return undefined;
    return await locked(files, async (lock) => {
      const { kind } = await files.readKey();
      lock.release();
      return kind;
    });
  });
}

/** Throws StoreError. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const files = new ProfileFiles(resolve(options.folder));
  return await withFaultsAsync(files.folder, async () => {
    if (options.missing === 'refuse' && !(await files.exist())) {
      throw new StoreError(files.folder, 'not a profile');
    }
    return await locked(files, async (lock) => {
      const { keyFile, dataKey } = (await files.exist())
        ? await unlock(files, options)
        : await create(files, options);
      try {
        const sql = openDatabase(files, dataKey, options.schemas);
        return new Store({ files, lock, keyFile, sql, sealer: options });
      } finally {
        dataKey.fill(0);
      }
    });
  });
}

/** Keeps the lock when `work` succeeds. */
async function locked<T>(files: ProfileFiles, work: (lock: ProfileLock) => Promise<T>): Promise<T> {
  await files.prepare();
  const lock = lockProfile(files.lock, files.folder);
  try {
    return await work(lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

interface Unlocked {
  readonly keyFile: KeyFile;
  readonly dataKey: Uint8Array;
}

async function unlock(files: ProfileFiles, { secret, crypto }: StoreOptions): Promise<Unlocked> {
  const keyFile = await files.readKey();
  await files.expectDatabase();
  const dataKey = await openKey(keyFile, secret, crypto);
  if (dataKey === undefined) throw new StoreError(files.folder, 'wrong key');
  return { keyFile, dataKey };
}

async function create(files: ProfileFiles, options: StoreOptions): Promise<Unlocked> {
  const dataKey = randomBytes(options.rng, KEY_BYTES);
  const keyFile = await sealKey(dataKey, options.secret, options);
  await files.install(keyFile, (path) => {
    const sql = Sql.open(path, dataKey, files.folder);
    migrate(sql, [], files.folder);
    sql.close();
  });
  return { keyFile, dataKey };
}

function openDatabase(files: ProfileFiles, dataKey: Uint8Array, schemas: readonly Schema[]): Sql {
  const sql = Sql.open(files.database, dataKey, files.folder);
  try {
    migrate(sql, [settingsSchema, ...schemas], files.folder);
    return sql;
  } catch (error) {
    sql.close();
    throw error;
  }
}

interface OpenProfile {
  readonly files: ProfileFiles;
  readonly lock: ProfileLock;
  readonly keyFile: KeyFile;
  readonly sql: Sql;
  readonly sealer: Sealer;
}

export class Store {
  readonly sql: Sql;
  readonly settings: Settings;
  readonly #files: ProfileFiles;
  readonly #lock: ProfileLock;
  readonly #sealer: Sealer;
  #keyFile: KeyFile;

  constructor({ files, lock, keyFile, sql, sealer }: OpenProfile) {
    this.sql = sql;
    this.settings = new Settings(sql, files.folder);
    this.#files = files;
    this.#lock = lock;
    this.#keyFile = keyFile;
    this.#sealer = sealer;
  }

  /**
   * A new passphrase or key. The data stays under the key it has, so this takes one scrypt and not a rewriting; whoever
   * has an old copy of `store.key` and the old passphrase can still open the profile.
   */
  async changeSecret(current: ProfileSecret, next: ProfileSecret): Promise<void> {
    const { folder } = this.#files;
    await withFaultsAsync(folder, async () => {
      const dataKey = await openKey(this.#keyFile, current, this.#sealer.crypto);
      if (dataKey === undefined) throw new StoreError(folder, 'wrong key');
      const keyFile = await sealKey(dataKey, next, this.#sealer);
      dataKey.fill(0);
      await this.#files.writeKey(keyFile);
      this.#keyFile = keyFile;
    });
  }

  /** A copy as of now in another folder: a profile of its own, opened with the same secret. 17 ms per MB. */
  async exportTo(folder: string): Promise<void> {
    const target = new ProfileFiles(resolve(folder));
    await withFaultsAsync(target.folder, async () => {
      if (await target.exist()) throw new StoreError(target.folder, 'already a profile');
      await locked(target, async (lock) => {
        this.sql.check();
        await target.install(this.#keyFile, (path) => this.sql.copyTo(path, target.folder));
        lock.release();
      });
    });
  }

  /** SQLite wipes its copy of the key. */
  close(): void {
    this.sql.close();
    this.#lock.release();
  }
}
