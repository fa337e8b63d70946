// What a module that runs by itself keeps over a restart: one value in one file, mode 0600, written whole or not at all.
// Within a node the same bytes are in the encrypted profile (core/node/kept.ts).

import { DecodeError } from '../bytes/index.ts';
import { FileError, readFile, writeFileAtomic } from './files.ts';

/** Something that can be told in bytes. */
export interface Shape<T> {
  readonly bytesMax: number;
  encode(value: T): Uint8Array;
  /** Throws DecodeError. */
  decode(bytes: Uint8Array): T;
}

export interface KeptFile<T> {
  /** Undefined at the first start, or when the file was no good. */
  readonly saved: T | undefined;
  /** Writes in the order of the calls. What cannot be written is reported, and lives on in memory. */
  save(value: T): void;
  /** Resolves when all is written. */
  flush(): Promise<void>;
}

/** `onFault` is told in words. A file that cannot be used is no reason not to start: it is written anew. */
export async function openKeptFile<T>(
  path: string,
  shape: Shape<T>,
  onFault: (what: string) => void,
): Promise<KeptFile<T>> {
  const writer = keptFileWriter(path, shape, ({ message }) => onFault(message));
  return { saved: await read(path, shape, onFault), ...writer };
}

/** For whoever reads by other rules. */
export function keptFileWriter<T>(
  path: string,
  { encode }: Pick<Shape<T>, 'encode'>,
  onFault: (error: FileError) => void,
): Pick<KeptFile<T>, 'save' | 'flush'> {
  let writing = Promise.resolve();
  const write = async (value: T): Promise<void> => {
    try {
      await writeFileAtomic(path, encode(value), { mode: 0o600, existing: 'replace' });
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      onFault(error);
    }
  };
  return {
    save: (value) => {
      writing = writing.then(() => write(value));
    },
    flush: () => writing,
  };
}

async function read<T>(
  path: string,
  { bytesMax, decode }: Shape<T>,
  onFault: (what: string) => void,
): Promise<T | undefined> {
  try {
    return decode((await readFile(path, bytesMax)).bytes);
  } catch (error) {
    if (error instanceof FileError && error.fault === 'not found') return undefined;
    if (error instanceof FileError) onFault(error.message);
    else if (error instanceof DecodeError) onFault(`${path}: ${error.message}; beginning anew`);
    else throw error;
    return undefined;
  }
}
