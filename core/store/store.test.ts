import {
  chmod,
  copyFile,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { sha256 } from '../crypto/index.ts';
import { randomBytes, SeededRng } from '../runtime/index.ts';
import { openStore, type Store, type StoreFault, type StoreOptions, secretKind } from './index.ts';
import { key, optionsFor } from './testing/options.ts';

const posix = it.skipIf(process.platform === 'win32');
const MARK = 'meet me at the old mill';

let scratch: string;
let folder: string;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'voidphone-store-'));
  folder = join(scratch, 'profile');
});

afterEach(() => rm(scratch, { recursive: true }));

function notesOptions(changes: Partial<StoreOptions> = {}): StoreOptions {
  const steps = ['create table notes (text text not null) strict'];
  return optionsFor(folder, { schemas: [{ module: 'notes', steps }], ...changes });
}

function openNotes(changes: Partial<StoreOptions> = {}): Promise<Store> {
  return openStore(notesOptions(changes));
}

function write(store: Store, rows = 1): void {
  const insert = store.sql.prepare<[string]>('insert into notes values (?)');
  store.sql.transaction(() => {
    for (let row = 0; row < rows; row++) insert.run(`${MARK} ${row}`);
  });
}

function notes(store: Store): string[] {
  const rows = store.sql.prepare<[], { text: string }>('select text from notes').all();
  return rows.map(({ text }) => text);
}

/** A profile of about 50 pages, closed. */
async function make(changes: Partial<StoreOptions> = {}): Promise<void> {
  const store = await openNotes(changes);
  write(store, 5000);
  store.close();
}

async function faultOf(opening: Promise<unknown>): Promise<StoreFault | undefined> {
  const error = await opening.then(
    () => undefined,
    (reason) => reason,
  );
  if (error === undefined) return undefined;
  expect(error.message.startsWith(`${error.folder}: `)).toBe(true);
  return error.fault;
}

describe('opening', () => {
  it('makes a profile where there is none, when told to', async () => {
    expect(await secretKind(folder)).toBeUndefined();
    expect(await faultOf(openNotes({ missing: 'refuse' }))).toBe('not a profile');
    expect(await readdir(scratch)).toEqual([]);
    await make();
    expect(await secretKind(folder)).toBe('key');
    const store = await openNotes({ missing: 'refuse' });
    expect(notes(store)).toHaveLength(5000);
    store.close();
  });

  it('says which folder is meant when that is a file', async () => {
    await writeFile(folder, '');
    expect(await secretKind(folder)).toBeUndefined();
    expect(await faultOf(openNotes())).toBe('not a profile');
  });

  it('tells a wrong key, and another kind of secret, and leaves everything as it was', async () => {
    await make();
    expect(await faultOf(openNotes({ secret: { key: new Uint8Array(32) } }))).toBe('wrong key');
    expect(await faultOf(openNotes({ secret: { passphrase: '' } }))).toBe('wrong key');
    (await openNotes()).close();
  });

  it('gives the profile to one only, and to the next after closing', async () => {
    const store = await openNotes();
    expect(await faultOf(openNotes())).toBe('in use');
    expect(await faultOf(secretKind(folder))).toBe('in use');
    store.close();
    (await openNotes()).close();
  });

  it('gives the profile to one of several that make it at the same time', async () => {
    const results = await Promise.allSettled([openNotes(), openNotes(), openNotes()]);
    const opened = results.filter((result) => result.status === 'fulfilled');
    expect(opened).toHaveLength(1);
    for (const { value } of opened) value.close();
  });

  it('keeps no lock when it fails', async () => {
    await make();
    const broken = [{ module: 'notes', steps: ['', 'nonsense'] }];
    for (const changes of [{ secret: { key: new Uint8Array(32) } }, { schemas: broken }]) {
      await expect(openNotes(changes)).rejects.toThrow();
      (await openNotes()).close();
    }
  });
});

describe('what lies on the disk', () => {
  posix('is for its owner only', async () => {
    const store = await openNotes();
    write(store);
    const modeOf = async (path: string) => (await stat(path)).mode & 0o777;
    expect(await modeOf(folder)).toBe(0o700);
    const files = (await readdir(folder)).sort();
    expect(files).toEqual(['store.db', 'store.db-wal', 'store.key', 'store.lock']);
    for (const file of files) expect(await modeOf(join(folder, file))).toBe(0o600);
    store.close();
  });

  posix('leaves the mode of a folder that was there', async () => {
    folder = scratch;
    await chmod(folder, 0o755);
    (await openNotes()).close();
    expect((await stat(folder)).mode & 0o777).toBe(0o755);
  });

  it('shows neither what is stored nor that it is a database', async () => {
    const store = await openNotes();
    write(store, 200);
    await expectNothingReadable();
    store.close();
    await expectNothingReadable();
  });

  it('is a database that other programs open with the data key', async () => {
    (await openNotes({ rng: new SeededRng(1) })).close();
    const dataKey = toHex(randomBytes(new SeededRng(1), 32));
    const database = new Database(join(folder, 'store.db'), { fileMustExist: true, timeout: 0 });
    database.pragma(`key = 'raw:${dataKey}'`);
    expect(database.prepare('select * from notes').all()).toEqual([]);
    database.close();
  });

  /** Reading drops this process's locks, which these tests do not need any more. */
  async function expectNothingReadable(): Promise<void> {
    for (const file of await readdir(folder)) {
      const text = (await readFile(join(folder, file))).toString('latin1');
      for (const secret of [MARK, 'notes', 'create table', 'SQLite format', '\x07'.repeat(32)]) {
        expect(text.includes(secret), `${file} has ${secret}`).toBe(false);
      }
    }
  }
});

describe('a new secret', () => {
  const other = { key: new Uint8Array(32).fill(8) };

  it('opens the profile and its copies from then on, and the old one does not', async () => {
    await make();
    const store = await openNotes();
    expect(await faultOf(store.changeSecret(other, key))).toBe('wrong key');
    await store.changeSecret(key, other);
    expect(await faultOf(store.changeSecret(key, other))).toBe('wrong key');
    await store.exportTo(join(scratch, 'copy'));
    store.close();
    for (const profile of [folder, join(scratch, 'copy')]) {
      expect(await faultOf(openNotes({ folder: profile }))).toBe('wrong key');
      const again = await openNotes({ folder: profile, secret: other });
      expect(notes(again)).toHaveLength(5000);
      again.close();
    }
  });

  it('may be a passphrase', async () => {
    const secret = { passphrase: 'correct horse' };
    await make({ secret });
    expect(await secretKind(folder)).toBe('passphrase');
    expect(await faultOf(openNotes({ secret: { passphrase: 'battery staple' } }))).toBe(
      'wrong key',
    );
    const store = await openNotes({ secret });
    await store.changeSecret(secret, key);
    store.close();
    expect(await secretKind(folder)).toBe('key');
    (await openNotes()).close();
  });
});

describe('a damaged profile', () => {
  const database = () => join(folder, 'store.db');
  const keyFile = () => join(folder, 'store.key');

  async function overwrite(path: string, at: number, bytes: Uint8Array): Promise<void> {
    const contents = await readFile(path);
    contents.set(bytes, at);
    await writeFile(path, contents);
  }

  const WRECKS: readonly (readonly [string, () => Promise<void>])[] = [
    ['a database that is gone', () => rm(database())],
    ['an empty database', () => truncate(database())],
    ['less than a page', () => truncate(database(), 100)],
    ['half a database', () => truncate(database(), 20 * 4096)],
    ['a changed first page', () => overwrite(database(), 50, Uint8Array.of(1, 2, 3))],
    ['text for a database', () => writeFile(database(), 'hello '.repeat(5000))],
    ['a key file that is gone', () => rm(keyFile())],
    ['an empty key file', () => truncate(keyFile())],
    ['a short key file', () => truncate(keyFile(), 100)],
    ['a changed key file', () => overwrite(keyFile(), 60, Uint8Array.of(1, 2, 3))],
    ['a large key file', () => writeFile(keyFile(), new Uint8Array(100_000))],
  ];

  it.each(WRECKS)('with %s is told from a wrong key, and not replaced', async (_, wreck) => {
    await make();
    await wreck();
    const before = await readdir(folder);
    expect(await faultOf(openNotes())).toBe('damaged');
    expect(await readdir(folder)).toEqual(before);
  });

  it('with the database of another profile is told from a wrong key', async () => {
    await make();
    await copyFile(database(), join(scratch, 'other.db'));
    await rm(folder, { recursive: true });
    await make();
    await copyFile(join(scratch, 'other.db'), database());
    expect(await faultOf(openNotes())).toBe('damaged');
  });

  it.each([
    ['changed', (contents: Buffer) => contents.fill(1, 30 * 4096 + 100, 30 * 4096 + 101)],
    ['emptied', (contents: Buffer) => contents.fill(0, 30 * 4096, 31 * 4096)],
    ['exchanged', (contents: Buffer) => contents.copyWithin(30 * 4096, 20 * 4096, 21 * 4096)],
  ])('with a page that was %s is found out when that is read', async (_, wreck) => {
    await make();
    const contents = await readFile(database());
    wreck(contents);
    await writeFile(database(), contents);
    const store = await openNotes();
    const damaged = expect.objectContaining({ fault: 'damaged' });
    expect(() => notes(store)).toThrow(damaged);
    expect(() => store.sql.check()).toThrow(damaged);
    const copy = store.exportTo(join(scratch, 'copy'));
    await expect(copy).rejects.toMatchObject({ fault: 'damaged', folder });
    store.close();
  });

  it('with a key file of a later version is too new', async () => {
    await make();
    const body = (await readFile(keyFile())).subarray(0, -32);
    body[16] = 2;
    await writeFile(keyFile(), Buffer.concat([body, sha256(body)]));
    expect(await faultOf(openNotes())).toBe('too new');
  });
});

describe('making a profile that was interrupted', () => {
  it('before there was a key file, starts again', async () => {
    const unfinished = join(folder, 'store.db.new');
    await make();
    await copyFile(join(folder, 'store.db'), unfinished);
    await writeFile(`${unfinished}-wal`, 'left over');
    await rm(join(folder, 'store.db'));
    await rm(join(folder, 'store.key'));
    expect(await secretKind(folder)).toBeUndefined();
    expect(await faultOf(openNotes({ missing: 'refuse' }))).toBe('not a profile');
    const store = await openNotes();
    expect(notes(store)).toEqual([]);
    store.close();
    expect((await readdir(folder)).sort()).toEqual(['store.db', 'store.key', 'store.lock']);
  });

  it('after that, finishes', async () => {
    await make();
    const store = await openNotes();
    await store.exportTo(join(scratch, 'copy'));
    store.close();
    folder = join(scratch, 'copy');
    await copyFile(join(folder, 'store.db'), join(folder, 'store.db.new'));
    await rm(join(folder, 'store.db'));
    const again = await openNotes({ missing: 'refuse' });
    expect(notes(again)).toHaveLength(5000);
    again.close();
  });
});

describe('a copy', () => {
  it('opens with the same secret and has what was there', async () => {
    const store = await openNotes();
    write(store, 10);
    const copy = join(scratch, 'backups', 'copy');
    await store.exportTo(copy);
    write(store);
    expect(notes(store)).toHaveLength(11);
    store.close();
    const restored = await openNotes({ folder: copy });
    expect(notes(restored)).toHaveLength(10);
    restored.sql.check();
    restored.close();
  });

  it('does not overwrite a profile', async () => {
    const store = await openNotes();
    await store.exportTo(join(scratch, 'copy'));
    expect(await faultOf(store.exportTo(join(scratch, 'copy')))).toBe('already a profile');
    expect(await faultOf(store.exportTo(folder))).toBe('already a profile');
    store.close();
  });
});
