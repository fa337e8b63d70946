// One process per profile: whoever works on its files holds SQLite's own lock on an empty database beside them. The
// system drops it when the process dies, however that happens, so there is nothing stale to clean up and no process
// id to mistake. The profile's database is locked in the same way while it is open, for the case that somebody deletes
// this file; but this lock also covers making a profile and changing its key, and is known before a passphrase is
// asked for.
//
// On POSIX systems a process that opens and closes a locked file drops its own lock: nothing in this process may read
// the files of an open profile.

import Database from 'better-sqlite3-multiple-ciphers';
import { withFaults } from './error.ts';

export interface ProfileLock {
  release(): void;
}

/** `path` exists. StoreError 'in use' when the lock is taken, also by this very process. */
export function lockProfile(path: string, folder: string): ProfileLock {
  return withFaults(folder, () => {
    const database = new Database(path, { fileMustExist: true, timeout: 0 });
    try {
      // No journal file beside it: there is nothing to roll back.
      database.pragma('journal_mode = memory');
      database.exec('begin exclusive');
    } catch (error) {
      database.close();
      throw error;
    }
    return { release: () => database.close() };
  });
}
