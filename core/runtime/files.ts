// Small files read and written whole: keys, configuration, state. A file is read up to a stated size, so a device or
// a log given by mistake costs nothing. It is written so that a reader, or a crash at any moment, finds the old
// contents or the new ones and never a part: temporary file beside it, fsync, rename, fsync of the folder. Renaming
// replaces a symbolic link instead of writing through it. A crash in between can leave a `.tmp` file behind, with
// the same mode.

import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { toHex } from '../bytes/index.ts';
import { randomBytes, realRng } from './rng.ts';

export type FileFault =
  | 'not found'
  | 'no such folder'
  | 'exists already'
  | 'permission denied'
  | 'is a folder'
  | 'too large'
  | 'disk full'
  | 'read-only file system'
  | 'input/output error';

/** Why a file could not be read or written. The message is a line for people that begins with the path. */
export class FileError extends Error {
  override readonly name = 'FileError';
  readonly path: string;
  readonly fault: FileFault;

  constructor(path: string, fault: FileFault, cause?: unknown) {
    super(`${path}: ${fault}`, { cause });
    this.path = path;
    this.fault = fault;
  }
}

export interface FileContents {
  readonly bytes: Uint8Array;
  /** Other users of the machine may read or change it. Never true on Windows, where modes say nothing. */
  readonly openToOthers: boolean;
}

/** The whole file, refused with FileError 'too large' beyond `sizeMax` bytes. */
export async function readFile(path: string, sizeMax: number): Promise<FileContents> {
  try {
    const handle = await open(path, 'r');
    try {
      const { mode } = await handle.stat();
      return { bytes: await readUpTo(handle, path, sizeMax), openToOthers: isOpenToOthers(mode) };
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileError(path, error, 'not found');
  }
}

async function readUpTo(handle: FileHandle, path: string, sizeMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of handle.createReadStream({ autoClose: false })) {
    size += chunk.length;
    if (size > sizeMax) throw new FileError(path, 'too large');
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function isOpenToOthers(mode: number): boolean {
  return process.platform !== 'win32' && (mode & 0o077) !== 0;
}

/** A path written in `file`, made absolute: a relative one starts at that file's folder. */
export function pathBeside(file: string, path: string): string {
  return resolve(dirname(file), path);
}

/**
 * A folder and those above it, of this mode; those that are there stay as they are. Not Node's `recursive`, which never
 * ends where a file system takes no folders (/proc).
 */
export async function makeFolder(path: string, mode: number): Promise<void> {
  try {
    if (await isMade(path, mode)) return;
    await makeFolder(dirname(path), mode);
    await mkdir(path, mode);
  } catch (error) {
    throw error instanceof FileError ? error : fileError(path, error, 'no such folder');
  }
}

/** False when the folder above is missing. */
async function isMade(path: string, mode: number): Promise<boolean> {
  try {
    await mkdir(path, mode);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return true;
    if (code === 'ENOENT' && dirname(path) !== path) return false;
    throw error;
  }
}

export interface WriteOptions {
  /** Permission bits of the new file, less the process's umask: 0o600 for whatever is secret. */
  readonly mode: number;
  /** 'keep' never touches a file that is there: FileError 'exists already'. */
  readonly existing: 'replace' | 'keep';
}

/** When this resolves, the contents survive a crash of the machine. */
export async function writeFileAtomic(
  path: string,
  bytes: Uint8Array,
  { mode, existing }: WriteOptions,
): Promise<void> {
  const temporary = `${path}.${toHex(randomBytes(realRng, 8))}.tmp`;
  try {
    await writeNew(temporary, bytes, mode);
    if (existing === 'keep') await reserve(path, mode);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw fileError(path, error, 'no such folder');
  }
}

async function writeNew(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const handle = await open(path, 'wx', mode);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Of two that create the same file one fails here. (A hard link would do too, but not on every file system.) */
async function reserve(path: string, mode: number): Promise<void> {
  const handle = await open(path, 'wx', mode);
  await handle.close();
}

/** Makes the rename durable. Windows cannot open a folder, and journals renames by itself. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const FAULTS: Readonly<Record<string, FileFault>> = {
  EEXIST: 'exists already',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'is a folder',
  ENOSPC: 'disk full',
  EDQUOT: 'disk full',
  EROFS: 'read-only file system',
};

/** For what Node's file calls throw; `missing` says what a missing path means to the caller. */
export function fileError(path: string, error: unknown, missing: FileFault): FileError {
  if (error instanceof FileError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
  return new FileError(path, isMissing ? missing : (FAULTS[code] ?? 'input/output error'), error);
}
