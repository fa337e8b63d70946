// Where a headless node's secret comes from: a passphrase file, the environment, or a key file in the profile itself.

import { dirname, join } from 'node:path';
import { decodeUtf8 } from '../bytes/index.ts';
import { KEY_BYTES } from '../crypto/index.ts';
import {
  FileError,
  makeFolder,
  randomBytes,
  readFile,
  realRuntime,
  writeFileAtomic,
} from '../runtime/index.ts';
import { type ProfileSecret, secretKind } from '../store/index.ts';
import { CommandError, type Io } from './command.ts';

/** Ample for a passphrase. */
const PASSPHRASE_FILE_MAX = 4096;
const KEY_FILE = 'unprotected.key';

export async function profileSecret(
  folder: string,
  passphraseFile: string | undefined,
  io: Io,
): Promise<ProfileSecret> {
  const passphrase = await givenPassphrase(passphraseFile, io);
  const kind = await secretKind(folder);
  if (passphrase !== undefined) {
    if (kind === 'key') {
      throw new CommandError(`${folder}: this profile has no passphrase; start it without one`);
    }
    return { passphrase };
  }
  if (kind === 'passphrase') {
    throw new CommandError(
      `${folder}: this profile has a passphrase; give it in VOIDPHONE_PASSPHRASE or with --passphrase-file`,
    );
  }
  return { key: await keyInProfile(join(folder, KEY_FILE), kind === undefined) };
}

async function givenPassphrase(file: string | undefined, io: Io): Promise<string | undefined> {
  if (file === undefined) return io.env['VOIDPHONE_PASSPHRASE'];
  const { bytes, openToOthers } = await readOrExplain(file, PASSPHRASE_FILE_MAX);
  if (openToOthers) io.note(`${file}: other users of this computer can read this passphrase`);
  const [passphrase = ''] = decodeUtf8(bytes).split(/\r?\n/);
  if (passphrase === '') throw new CommandError(`${file}: its first line is empty`);
  return passphrase;
}

async function keyInProfile(file: string, isNew: boolean): Promise<Uint8Array> {
  if (isNew) {
    await makeKey(file);
  }
  const { bytes } = await readOrExplain(file, KEY_BYTES);
  if (bytes.length !== KEY_BYTES) throw new CommandError(`${file}: this is no key of a profile`);
  return bytes;
}

/** A whole one that a start before this one has left is kept: another process may be using it right now. */
async function makeKey(file: string): Promise<void> {
  try {
    await makeFolder(dirname(file), 0o700);
    const key = randomBytes(realRuntime.rng, KEY_BYTES);
    const existing = (await isEmpty(file)) ? 'replace' : 'keep';
    await writeFileAtomic(file, key, { mode: 0o600, existing });
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    if (error.fault !== 'exists already') throw new CommandError(error.message);
  }
}

/** What a process that was killed while writing leaves. */
async function isEmpty(file: string): Promise<boolean> {
  try {
    return (await readFile(file, KEY_BYTES)).bytes.length === 0;
  } catch (error) {
    if (error instanceof FileError) return false;
    throw error;
  }
}

async function readOrExplain(file: string, sizeMax: number): ReturnType<typeof readFile> {
  try {
    return await readFile(file, sizeMax);
  } catch (error) {
    if (error instanceof FileError) throw new CommandError(error.message);
    throw error;
  }
}
