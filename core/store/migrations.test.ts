import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore, type Schema, type Store } from './index.ts';
import { optionsFor } from './testing/options.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voidphone-migrations-'));
});

afterEach(() => rm(folder, { recursive: true }));

const people1 =
  "create table people (name text primary key) strict; insert into people values ('Ada')";
const people2 = 'alter table people add column age integer not null default 36';
const pets1 = 'create table pets (owner text not null references people) strict';

function people(...steps: readonly string[]): Schema {
  return { module: 'people', steps };
}

function pets(...steps: readonly string[]): Schema {
  return { module: 'pets', steps };
}

async function openWith(...schemas: readonly Schema[]): Promise<Store> {
  return await openStore(optionsFor(folder, { schemas }));
}

async function peopleAfter(...schemas: readonly Schema[]): Promise<unknown[]> {
  const store = await openWith(...schemas);
  const rows = store.sql.prepare<[], unknown>('select * from people').all();
  store.close();
  return rows;
}

const wrongSql = { name: 'SqliteError' };

describe('migrations', () => {
  it('bring a file from one version to the next and keep its data', async () => {
    expect(await peopleAfter(people(people1))).toEqual([{ name: 'Ada' }]);
    expect(await peopleAfter(people(people1, people2))).toEqual([{ name: 'Ada', age: 36 }]);
  });

  it('take each step once, whenever a module joins and in whatever order', async () => {
    await peopleAfter(people(people1));
    await peopleAfter(pets(pets1), people(people1, people2));
    expect(await peopleAfter(people(people1, people2), pets(pets1))).toHaveLength(1);
  });

  it('that fail leave the old version, which still opens', async () => {
    await peopleAfter(people(people1));
    const broken = `${people2}; delete from people; select nonsense`;
    await expect(openWith(people(people1, broken))).rejects.toMatchObject(wrongSql);
    expect(await peopleAfter(people(people1))).toEqual([{ name: 'Ada' }]);
  });

  it('keep the steps before the one that failed', async () => {
    await expect(openWith(people(people1, people2, 'nonsense'))).rejects.toMatchObject(wrongSql);
    expect(await peopleAfter(people(people1, people2))).toEqual([{ name: 'Ada', age: 36 }]);
  });

  it('may build a table anew that others refer to', async () => {
    const owned = `${pets1}; insert into pets values ('Ada')`;
    const rebuilt = `create table changed (name text primary key, age integer) strict;
      insert into changed select name, 36 from people;
      drop table people;
      alter table changed rename to people`;
    await peopleAfter(people(people1), pets(owned));
    expect(await peopleAfter(people(people1, rebuilt), pets(owned))).toEqual([
      { name: 'Ada', age: 36 },
    ]);
  });

  it('may not leave rows that refer to nothing', async () => {
    await peopleAfter(people(people1), pets(`${pets1}; insert into pets values ('Ada')`));
    const orphaning = people(people1, 'delete from people');
    await expect(openWith(orphaning, pets(pets1))).rejects.toThrow('refer to nothing');
    expect(await peopleAfter(people(people1), pets(pets1))).toHaveLength(1);
  });

  it('enforce foreign keys again when they are done', async () => {
    const store = await openWith(people(people1), pets(pets1));
    const insert = store.sql.prepare<[string]>('insert into pets values (?)');
    expect(() => insert.run('nobody')).toThrow(expect.objectContaining(wrongSql));
    store.close();
  });
});

describe('a file that is newer than the program', () => {
  const tooNew = {
    fault: 'too new',
    message: expect.stringContaining('a newer VoidPhone has written this profile'),
  };

  it('is refused and left as it is', async () => {
    await peopleAfter(people(people1, people2));
    await expect(openWith(pets('create table pets (x)'), people(people1))).rejects.toMatchObject(
      tooNew,
    );
    expect(await peopleAfter(people(people1, people2), pets(pets1))).toHaveLength(1);
  });

  it('is refused when it has a module that the program does not know', async () => {
    await peopleAfter(people(people1), pets(pets1));
    await expect(openWith(people(people1))).rejects.toMatchObject(tooNew);
  });
});
