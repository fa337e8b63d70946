// What can go wrong with a profile on disk, as a closed union that a person can act on, with a sentence for each. A
// wrong statement or a broken constraint is none of these: it is a bug of the caller and passes through as it is.

import Database from 'better-sqlite3-multiple-ciphers';
import { FileError, type FileFault, fileError } from '../runtime/index.ts';

const SENTENCES = {
  'wrong key': 'this profile does not open with this passphrase or key',
  damaged: 'this profile is damaged; restore it from a backup',
  'in use': 'another VoidPhone is using this profile; close that one first',
  'too new': 'a newer VoidPhone has written this profile; install that version or a later one',
  'not a profile': 'there is no profile in this folder; check the path, or create one here',
  'already a profile': 'there is a profile in this folder already; choose another folder',
  'disk full': 'the disk is full; make room and try again',
  'no access': 'this folder cannot be read and written; check its owner and its permissions',
  'input/output error': 'the disk does not read or write as it should',
} as const;

export type StoreFault = keyof typeof SENTENCES;

/** The message is a line for people that begins with the profile's folder. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly folder: string;
  readonly fault: StoreFault;

  constructor(folder: string, fault: StoreFault, detail?: string, cause?: unknown) {
    super(`${folder}: ${SENTENCES[fault]}${detail === undefined ? '' : ` (${detail})`}`, { cause });
    this.folder = folder;
    this.fault = fault;
  }
}

/** By the first word after SQLITE_, which extended codes share (https://www.sqlite.org/rescode.html). */
const SQLITE_FAULTS: Readonly<Record<string, StoreFault>> = {
  NOTADB: 'damaged',
  CORRUPT: 'damaged',
  BUSY: 'in use',
  FULL: 'disk full',
  PERM: 'no access',
  READONLY: 'no access',
  CANTOPEN: 'no access',
  IOERR: 'input/output error',
};

const FILE_FAULTS: Readonly<Record<FileFault, StoreFault>> = {
  'not found': 'not a profile',
  'no such folder': 'not a profile',
  'exists already': 'not a profile',
  'is a folder': 'damaged',
  'too large': 'damaged',
  'permission denied': 'no access',
  'read-only file system': 'no access',
  'disk full': 'disk full',
  'input/output error': 'input/output error',
};

/** Runs `work` on a profile's files; what the disk does wrong meanwhile is thrown as StoreError. */
export function withFaults<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw storeError(folder, error);
  }
}

export async function withFaultsAsync<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storeError(folder, error);
  }
}

function storeError(folder: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreError) return error;
  const fault = faultOf(folder, error);
  return fault === undefined ? error : new StoreError(folder, fault, error.message, error);
}

function faultOf(folder: string, error: Error): StoreFault | undefined {
  if (error instanceof Database.SqliteError) return SQLITE_FAULTS[error.code.split('_')[1] ?? ''];
  if (error instanceof FileError) return FILE_FAULTS[error.fault];
  return 'syscall' in error ? FILE_FAULTS[fileError(folder, error, 'not found').fault] : undefined;
}
