// What modules keep over a restart, within the encrypted store of a profile: bytes by name, in the shape the module gives
// them. A module that runs by itself keeps the same bytes in a file beside its configuration.

import { DecodeError } from '../bytes/index.ts';
import type { Schema, Store } from '../store/index.ts';

export const keptSchema: Schema = {
  module: 'kept',
  steps: ['create table kept (name text primary key, bytes blob not null) strict, without rowid'],
};

export interface Kept<T> {
  /** Undefined at the first start, or when it was damaged, which was told. */
  readonly saved: T | undefined;
  save(value: T): void;
}

/** Something that can be told in bytes. */
export interface Shape<T> {
  readonly name: string;
  encode(value: T): Uint8Array;
  /** Throws DecodeError. */
  decode(bytes: Uint8Array): T;
}

export function keptIn<T>(
  { sql }: Pick<Store, 'sql'>,
  { name, encode, decode }: Shape<T>,
  onDamage: () => void,
): Kept<T> {
  const select = sql.prepare<[string], { readonly bytes: Uint8Array }>(
    'select bytes from kept where name = ?',
  );
  const upsert = sql.prepare<[string, Uint8Array]>('insert or replace into kept values (?, ?)');
  const row = select.one(name);
  return {
    saved: row && decoded(row.bytes),
    save: (value) => void upsert.run(name, encode(value)),
  };

  function decoded(bytes: Uint8Array): T | undefined {
    try {
      return decode(bytes);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      onDamage();
      return undefined;
    }
  }
}
