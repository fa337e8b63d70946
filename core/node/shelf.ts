// The DHT's shelf within a profile: one row for each value, so that keeping one is not writing all.

import { DecodeError } from '../bytes/index.ts';
import {
  decodeSavedNodes,
  decodeSavedValue,
  encodeSavedNodes,
  type SavedValue,
  type Shelf,
} from '../dht/index.ts';
import type { Schema, Store } from '../store/index.ts';
import { keptIn } from './kept.ts';

export const shelfSchema: Schema = {
  module: 'dht',
  steps: [
    'create table dht_values (name text primary key, bytes blob not null) strict, without rowid',
  ],
};

interface Row {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const NODES = { encode: encodeSavedNodes, decode: decodeSavedNodes };

export function shelfIn(store: Pick<Store, 'sql'>): Shelf {
  const { sql } = store;
  const rows = sql.prepare<[], Row>('select name, bytes from dht_values').all();
  const upsert = sql.prepare<[string, Uint8Array]>(
    'insert or replace into dht_values values (?, ?)',
  );
  const remove = sql.prepare<[string]>('delete from dht_values where name = ?');
  const nodes = keptIn(store, 'dht nodes', NODES, () => {});
  return {
    values: rows.flatMap(valueIn),
    contacts: nodes.saved ?? [],
    keep: (name, bytes) => void upsert.run(name, bytes),
    discard: (name) => void remove.run(name),
    keepContacts: nodes.save,
    flush: async () => {},
  };

  /** Values of others are hostile here too: what cannot be right is deleted. */
  function valueIn({ name, bytes }: Row): SavedValue[] {
    try {
      return [decodeSavedValue(bytes)];
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      remove.run(name);
      return [];
    }
  }
}
