// The shelf of a module that runs by itself: a folder with one file for each value, named by key and value, and one for the
// nodes. Values of others are hostile on disk as on the wire: a file that cannot be right is deleted. A file is written
// whole or not at all; of what was written in the last moment before a crash some may be missing.

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DecodeError } from '../bytes/index.ts';
import { FileError, makeFolder, readFile, writeFileAtomic } from '../runtime/index.ts';
import {
  decodeSavedNodes,
  decodeSavedValue,
  encodeSavedNodes,
  SAVED_NODES_BYTES_MAX,
  SAVED_VALUE_BYTES_MAX,
} from './saved.ts';
import type { Shelf } from './shelf.ts';

const NODES = 'nodes';
/** As `savedName` makes them, and what a crash can leave of their writing. */
const VALUE = /^[0-9a-f]{64}-[0-9a-f]{32}$/;
const TEMPORARY = /\.tmp$/;

/** Rejects with FileError. `onFault`: something could not be written later. */
export async function openShelf(
  folder: string,
  onFault: (error: FileError) => void,
): Promise<Shelf> {
  await makeFolder(folder, 0o700);
  const names = await readdir(folder);
  for (const name of names.filter((one) => TEMPORARY.test(one))) await remove(folder, name);
  const files = await readAll(folder, names);
  const writer = new Writer(folder, onFault);
  return {
    values: files.values,
    contacts: files.contacts,
    keep: (name, bytes) => writer.set(name, bytes),
    discard: (name) => writer.set(name, undefined),
    keepContacts: (contacts) => writer.set(NODES, encodeSavedNodes(contacts)),
    flush: () => writer.done,
  };
}

type Files = Pick<Shelf, 'values' | 'contacts'>;

async function readAll(folder: string, names: readonly string[]): Promise<Files> {
  const values: Files['values'][number][] = [];
  for (const name of names.filter((one) => VALUE.test(one))) {
    const value = await read(folder, name, SAVED_VALUE_BYTES_MAX, decodeSavedValue);
    if (value !== undefined) values.push(value);
  }
  const isThere = names.includes(NODES);
  const contacts = isThere && (await read(folder, NODES, SAVED_NODES_BYTES_MAX, decodeSavedNodes));
  return { values, contacts: contacts || [] };
}

async function read<T>(
  folder: string,
  name: string,
  bytesMax: number,
  decode: (bytes: Uint8Array) => T,
): Promise<T | undefined> {
  try {
    return decode((await readFile(join(folder, name), bytesMax)).bytes);
  } catch (error) {
    const isDamaged = error instanceof FileError && error.fault === 'too large';
    if (!isDamaged && !(error instanceof DecodeError)) throw error;
    await remove(folder, name);
    return undefined;
  }
}

async function remove(folder: string, name: string): Promise<void> {
  await rm(join(folder, name), { force: true });
}

/** One file after the other; of several wishes for one file the last counts. */
class Writer {
  readonly #folder: string;
  readonly #onFault: (error: FileError) => void;
  /** Bounded by what the DHT holds. */
  readonly #wanted = new Map<string, Uint8Array | undefined>();
  #running: Promise<void> | undefined;

  constructor(folder: string, onFault: (error: FileError) => void) {
    this.#folder = folder;
    this.#onFault = onFault;
  }

  get done(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  set(name: string, bytes: Uint8Array | undefined): void {
    this.#wanted.set(name, bytes);
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    for (;;) {
      const [next] = this.#wanted;
      if (next === undefined) break;
      const [name, bytes] = next;
      this.#wanted.delete(name);
      await this.#write(name, bytes);
    }
    this.#running = undefined;
  }

  async #write(name: string, bytes: Uint8Array | undefined): Promise<void> {
    try {
      if (bytes === undefined) await remove(this.#folder, name);
      else {
        const options = { mode: 0o600, existing: 'replace' } as const;
        await writeFileAtomic(join(this.#folder, name), bytes, options);
      }
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#onFault(error);
    }
  }
}
