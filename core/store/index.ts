export { StoreError, type StoreFault } from './error.ts';
export type { ProfileSecret } from './key-file.ts';
export type { Schema } from './migrations.ts';
export type { Json, Setting, Settings } from './settings.ts';
export type { Query, Sql, SqlParameters, SqlValue } from './sql.ts';
export { openStore, type Store, type StoreOptions, secretKind } from './store.ts';
