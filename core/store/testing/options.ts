// How tests, and the process that they kill, open a profile: with a key, since a passphrase takes half a second.

import { chooseProvider } from '../../crypto/index.ts';
import { realRng } from '../../runtime/index.ts';
import type { Schema, StoreOptions } from '../index.ts';

export const key = { key: new Uint8Array(32).fill(7) };

/** What the process in writer.ts writes: three rows to a commit. */
export const commitsSchema: Schema = {
  module: 'commits',
  steps: [
    `create table commits (
      number integer not null,
      part integer not null,
      filling blob not null,
      primary key (number, part)
    ) strict`,
  ],
};

export const PARTS = 3;

export function optionsFor(folder: string, changes: Partial<StoreOptions> = {}): StoreOptions {
  const defaults = { secret: key, schemas: [commitsSchema], missing: 'create' } as const;
  return { folder, crypto: chooseProvider(), rng: realRng, ...defaults, ...changes };
}
