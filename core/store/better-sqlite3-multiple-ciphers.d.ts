// The part of better-sqlite3-multiple-ciphers that the store uses. The package has declarations of its own, but its
// `exports` hide them from TypeScript.

declare module 'better-sqlite3-multiple-ciphers' {
  namespace Database {
    interface Statement {
      run(...parameters: readonly unknown[]): { readonly changes: number };
      get(...parameters: readonly unknown[]): Record<string, unknown> | undefined;
      all(...parameters: readonly unknown[]): Record<string, unknown>[];
    }
  }

  class Database {
    static readonly SqliteError: new (
      message: string,
      code: string,
    ) => Error & { code: string };

    constructor(
      path: string,
      options: { readonly fileMustExist: boolean; readonly timeout: number },
    );
    prepare(sql: string): Database.Statement;
    transaction<T>(work: () => T): () => T;
    exec(sql: string): void;
    pragma(sql: string): unknown;
    key(key: Buffer): void;
    close(): void;
  }

  export = Database;
}
