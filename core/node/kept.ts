// What modules keep over a restart, within the encrypted store of a profile: bytes by name, in the shape the module gives
// them. A module that runs by itself keeps the same bytes in a file beside its configuration.

import { DecodeError } from '../bytes/index.ts';
import type { KeptFile, Shape } from '../runtime/index.ts';
import type { Schema, Store } from '../store/index.ts';

export const keptSchema: Schema = {
  module: 'kept',
  steps: ['create table kept (name text primary key, bytes blob not null) strict, without rowid'],
};

export type Kept<T> = Pick<KeptFile<T>, 'saved' | 'save'>;

export function keptIn<T>(
  { sql }: Pick<Store, 'sql'>,
  name: string,
  { encode, decode }: Pick<Shape<T>, 'encode' | 'decode'>,
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
