// What peer sampling keeps (state.ts), in a file beside the configuration, for a module that runs by itself.

import { DecodeError } from '../bytes/index.ts';
import { FileError, readFile, writeFileAtomic } from '../runtime/index.ts';
import { decodeState, encodeState, type SavedState, STATE_BYTES_MAX } from './state.ts';

export interface StateFile {
  /** Undefined at the first start, or when the file was no good. */
  readonly saved: SavedState | undefined;
  /** Writes in the order of the calls. What cannot be written is reported, and lives on in memory. */
  save(state: SavedState): void;
  /** Resolves when all is written. */
  flush(): Promise<void>;
}

/** `onFault` is told in words. A file that cannot be used is no reason not to start: it is written anew. */
export async function openStateFile(
  path: string,
  onFault: (what: string) => void,
): Promise<StateFile> {
  let writing = Promise.resolve();
  const write = async (state: SavedState): Promise<void> => {
    try {
      await writeFileAtomic(path, encodeState(state), { mode: 0o600, existing: 'replace' });
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      onFault(error.message);
    }
  };
  return {
    saved: await readState(path, onFault),
    save: (state) => {
      writing = writing.then(() => write(state));
    },
    flush: () => writing,
  };
}

async function readState(
  path: string,
  onFault: (what: string) => void,
): Promise<SavedState | undefined> {
  try {
    return decodeState((await readFile(path, STATE_BYTES_MAX)).bytes);
  } catch (error) {
    if (error instanceof FileError && error.fault === 'not found') return undefined;
    if (error instanceof FileError) onFault(error.message);
    else if (error instanceof DecodeError) onFault(`${path}: ${error.message}; beginning anew`);
    else throw error;
    return undefined;
  }
}
