// Small values by name, as JSON: what a module keeps that needs no table of its own. Each value carries the version of
// its shape, so a later program can read what an earlier one wrote.

import { StoreError } from './error.ts';
import type { Schema } from './migrations.ts';
import type { Query, Sql } from './sql.ts';

/** A shape must be a `type`, as an `interface` is not assignable to it; bytes are written in hex. */
export type Json =
  | string
  | number
  | boolean
  | readonly Json[]
  | { readonly [name: string]: Json | undefined };

export interface Setting<T extends Json> {
  /** Begins with the module's name: 'rps.seeds'. */
  readonly name: string;
  /** Raised whenever the shape changes. */
  readonly version: number;
  /** From what was written at `version`, which is at most the one above. Throws DecodeError. */
  decode(value: unknown, version: number): T;
}

export const settingsSchema: Schema = {
  module: 'settings',
  steps: [
    `create table settings (
      name text primary key,
      version integer not null,
      value text not null
    ) strict, without rowid`,
  ],
};

interface Row {
  readonly version: number;
  readonly value: string;
}

export class Settings {
  readonly #folder: string;
  readonly #select: Query<[string], Row>;
  readonly #upsert: Query<[string, number, string], never>;
  readonly #delete: Query<[string], never>;

  constructor(sql: Sql, folder: string) {
    this.#folder = folder;
    this.#select = sql.prepare('select version, value from settings where name = ?');
    this.#upsert = sql.prepare('insert or replace into settings values (?, ?, ?)');
    this.#delete = sql.prepare('delete from settings where name = ?');
  }

  read<T extends Json>({ name, version, decode }: Setting<T>): T | undefined {
    const row = this.#select.one(name);
    if (row === undefined) return undefined;
    if (row.version > version) throw new StoreError(this.#folder, 'too new', name);
    return decode(JSON.parse(row.value), row.version);
  }

  write<T extends Json>({ name, version }: Setting<T>, value: T): void {
    this.#upsert.run(name, version, JSON.stringify(value));
  }

  remove({ name }: Setting<Json>): void {
    this.#delete.run(name);
  }
}
