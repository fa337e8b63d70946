import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DecodeError } from '../bytes/index.ts';
import { openStore, type Setting, type Sql, type Store } from './index.ts';
import { optionsFor } from './testing/options.ts';

let folder: string;
let store: Store;
let sql: Sql;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voidphone-sql-'));
  const steps = ['create table things (id integer primary key, name text, data blob) strict'];
  store = await openStore(optionsFor(folder, { schemas: [{ module: 'things', steps }] }));
  sql = store.sql;
});

afterEach(async () => {
  store.close();
  await rm(folder, { recursive: true });
});

interface Thing {
  readonly id: number;
  readonly name: string | undefined;
  readonly data: Uint8Array | undefined;
}

function insert(id: number, name?: string, data?: Uint8Array): number {
  return sql
    .prepare<[number, string | undefined, Uint8Array | undefined]>(
      'insert into things values (?, ?, ?)',
    )
    .run(id, name, data);
}

function things(): Thing[] {
  return sql.prepare<[], Thing>('select * from things order by id').all();
}

describe('a query', () => {
  it('brings values back as they were given', () => {
    const data = Uint8Array.of(0, 1, 255);
    const time = 2 ** 53 - 1;
    expect(insert(time, "O'Brien\0ü", data)).toBe(1);
    expect(insert(2)).toBe(1);
    expect(things()).toEqual([
      { id: 2, name: undefined, data: undefined },
      { id: time, name: "O'Brien\0ü", data },
    ]);
    expect(things()[1]?.data?.constructor).toBe(Uint8Array);
  });

  it('takes parameters by name', () => {
    insert(1, 'one');
    const byName = sql.prepare<[{ name: string }], Thing>(
      'select * from things where name = $name',
    );
    expect(byName.one({ name: 'one' })?.id).toBe(1);
    expect(byName.one({ name: 'two' })).toBeUndefined();
  });

  it('says how many rows it changed', () => {
    for (const id of [1, 2, 3]) insert(id);
    expect(sql.prepare<[number]>('delete from things where id < ?').run(3)).toBe(2);
  });

  it('that is wrong, or breaks a constraint, is a bug and no StoreError', () => {
    insert(1);
    expect(() => insert(1)).toThrow(expect.objectContaining({ name: 'SqliteError' }));
    expect(() => sql.prepare('select nonsense')).toThrow(
      expect.objectContaining({ name: 'SqliteError' }),
    );
  });
});

describe('a transaction', () => {
  it('happens as a whole or not at all', () => {
    expect(() =>
      sql.transaction(() => {
        insert(1);
        throw new RangeError('on purpose');
      }),
    ).toThrow(RangeError);
    expect(things()).toEqual([]);
    expect(sql.transaction(() => insert(1))).toBe(1);
    expect(things()).toHaveLength(1);
  });

  it('inside another is undone alone', () => {
    sql.transaction(() => {
      insert(1);
      expect(() =>
        sql.transaction(() => {
          insert(2);
          insert(2);
        }),
      ).toThrow();
      insert(3);
    });
    expect(things().map(({ id }) => id)).toEqual([1, 3]);
  });

  it('on a full disk is undone, and says so', () => {
    sql.script('pragma max_page_count = 20');
    expect(() =>
      sql.transaction(() => {
        for (let id = 0; id < 100; id++) insert(id, '', new Uint8Array(4096));
      }),
    ).toThrow(
      expect.objectContaining({
        fault: 'disk full',
        message: expect.stringMatching(`^${folder}: the disk is full; make room`),
      }),
    );
    expect(things()).toEqual([]);
    expect(insert(1)).toBe(1);
  });
});

describe('the database', () => {
  it.each([
    ['synchronous', 2, 'waits for the disk at every commit'],
    ['fullfsync', 1, 'waits for the disk of a Mac, too'],
    ['journal_mode', 'wal', 'writes a log'],
    ['locking_mode', 'exclusive', 'keeps other processes out'],
    ['temp_store', 2, 'writes no temporary files, which would be in the clear'],
    ['secure_delete', 1, 'overwrites what is deleted'],
    ['foreign_keys', 1, 'enforces foreign keys'],
  ])('has %s = %s: %s', (name, value, _) => {
    const row = sql.prepare<[], Record<string, unknown>>(`pragma ${name}`).one();
    expect(Object.values(row ?? {})).toEqual([value]);
  });
});

describe('a setting', () => {
  const window: Setting<{ x: number; y?: number }> = {
    name: 'test.window',
    version: 2,
    decode(value, version) {
      if (version === 1) return { x: Number(value) };
      if (typeof value === 'object' && value !== null && 'x' in value)
        return { x: Number(value.x) };
      throw new DecodeError('no window');
    },
  };
  const older: Setting<string> = { name: 'test.window', version: 1, decode: String };

  it('is undefined until it is written, and after it is removed', () => {
    expect(store.settings.read(window)).toBeUndefined();
    store.settings.write(window, { x: 1 });
    store.settings.write(window, { x: 2 });
    expect(store.settings.read(window)).toEqual({ x: 2 });
    store.settings.remove(window);
    expect(store.settings.read(window)).toBeUndefined();
  });

  it('is there when the profile is opened again', async () => {
    store.settings.write(window, { x: 3 });
    store.close();
    const schemas = [{ module: 'things', steps: [''] }];
    store = await openStore(optionsFor(folder, { schemas }));
    expect(store.settings.read(window)).toEqual({ x: 3 });
  });

  it('of an earlier version is read by its later shape', () => {
    store.settings.write(older, '7');
    expect(store.settings.read(window)).toEqual({ x: 7 });
  });

  it('of a later version is refused', () => {
    store.settings.write(window, { x: 1 });
    expect(() => store.settings.read(older)).toThrow(expect.objectContaining({ fault: 'too new' }));
  });

  it('takes part in transactions', () => {
    expect(() =>
      store.sql.transaction(() => {
        store.settings.write(window, { x: 1 });
        throw new Error('on purpose');
      }),
    ).toThrow('on purpose');
    expect(store.settings.read(window)).toBeUndefined();
  });
});
