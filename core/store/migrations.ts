// Brings the tables of a file to what this program knows. Every module counts its own versions, so modules can be
// written side by side; a file with a module or a version that the program does not know is refused before anything is
// changed.

import { StoreError } from './error.ts';
import type { Sql } from './sql.ts';

/** A module's tables. */
export interface Schema {
  /** The module's name, as its folder is called; its tables begin with it. */
  readonly module: string;
  /**
   * Step n, an SQL script, brings the tables from version n to n + 1. A step that was released stays as it is for good;
   * changes are appended. Foreign keys are not enforced during a step, but must hold at its end.
   */
  readonly steps: readonly string[];
}

const VERSIONS = `
  create table if not exists schema_versions (
    module text primary key,
    version integer not null
  ) strict`;

/** Each step is a transaction of its own: after a crash, or a step that fails, the finished ones stand. */
export function migrate(sql: Sql, schemas: readonly Schema[], folder: string): void {
  sql.script(VERSIONS);
  const versions = versionsIn(sql);
  for (const [module, version] of versions) {
    const known = schemas.find((schema) => schema.module === module)?.steps.length ?? 0;
    if (version > known) throw new StoreError(folder, 'too new', `${module} ${version}`);
  }
  sql.script('pragma foreign_keys = off');
  for (const { module, steps } of schemas) {
    const done = versions.get(module) ?? 0;
    for (const [i, step] of steps.slice(done).entries()) takeStep(sql, module, done + i + 1, step);
  }
  sql.script('pragma foreign_keys = on');
}

function versionsIn(sql: Sql): Map<string, number> {
  const rows = sql
    .prepare<[], { module: string; version: number }>('select module, version from schema_versions')
    .all();
  return new Map(rows.map(({ module, version }) => [module, version]));
}

function takeStep(sql: Sql, module: string, version: number, step: string): void {
  sql.transaction(() => {
    sql.script(step);
    if (sql.prepare<[], object>('pragma foreign_key_check').one() !== undefined) {
      throw new Error(`${module} ${version} leaves rows that refer to nothing`);
    }
    sql
      .prepare<[string, number]>('insert or replace into schema_versions values (?, ?)')
      .run(module, version);
  });
}
