// Hostkeys on disk: PEM, mode 0600. An existing hostkey is never overwritten, because with it an identity would be
// lost. One that others can read is used all the same, with a warning: module configurations often come with such
// keys, and refusing to start would protect nobody who has already been read.

import { DecodeError, utf8 } from '../bytes/index.ts';
import { FileError, type FileFault, readFile, writeFileAtomic } from '../runtime/index.ts';
import { decodeHostkey, type Hostkey } from './hostkey.ts';

/** The PEM of a hostkey has 3.2 KiB; the rest is for comments and other keys around it. */
const HOSTKEY_FILE_MAX = 65_536;

export type HostkeyFault = FileFault | 'not a hostkey';

/** Why a hostkey could not be loaded or saved. The message is a sentence for people and names the file. */
export class HostkeyError extends Error {
  override readonly name = 'HostkeyError';
  readonly path: string;
  readonly fault: HostkeyFault;

  constructor(path: string, fault: HostkeyFault, why: string) {
    super(`hostkey ${path}: ${why}`);
    this.path = path;
    this.fault = fault;
  }
}

export interface LoadedHostkey {
  readonly hostkey: Hostkey;
  /** A sentence for people. */
  readonly warning: string | undefined;
}

export async function loadHostkey(path: string): Promise<LoadedHostkey> {
  try {
    const { bytes, openToOthers } = await readFile(path, HOSTKEY_FILE_MAX);
    const warning = openToOthers
      ? `hostkey ${path}: other users of this computer can read or change it; "chmod 600" prevents that`
      : undefined;
    return { hostkey: decodeHostkey(bytes), warning };
  } catch (error) {
    throw hostkeyError(path, error);
  }
}

export async function saveHostkey(path: string, hostkey: Hostkey): Promise<void> {
  try {
    const contents = utf8(hostkey.encodePem());
    await writeFileAtomic(path, contents, { mode: 0o600, existing: 'keep' });
  } catch (error) {
    throw hostkeyError(path, error);
  }
}

const EXPLAINED: Partial<Readonly<Record<FileFault, string>>> = {
  'not found': 'there is no such file; "voidphone keygen" makes one',
  'exists already': 'it exists already, and a hostkey is never overwritten',
  'too large': 'it is too large to be a hostkey',
};

function hostkeyError(path: string, error: unknown): unknown {
  if (error instanceof FileError) {
    return new HostkeyError(path, error.fault, EXPLAINED[error.fault] ?? error.fault);
  }
  if (error instanceof DecodeError) return new HostkeyError(path, 'not a hostkey', error.message);
  return error;
}
