// The guards on disk, for a module that runs by itself (protocol 3.4: kept for weeks, so a restart must not draw new
// ones). A small file beside the configuration, mode 0600: whoever reads it knows our first hops.
//
//   0    1  version 1
//   1    1  number of guards, at most 12
//   2  584  of each: since u64, until u64 (Unix milliseconds), ip 16, port u16, hostkey SPKI DER 550

import { DecodeError, Reader, Writer } from '../bytes/index.ts';
import { RSA_SPKI_BYTES } from '../crypto/index.ts';
import {
  FileError,
  IP_BYTES,
  ipFromBytes,
  ipToBytes,
  type KeptFile,
  keptFileWriter,
  readFile,
  type Shape,
} from '../runtime/index.ts';
import type { Guard } from './guards.ts';
import { toPeer } from './peer.ts';

const VERSION = 1;
/** Those in use and those that still count in the 30 days' window. */
const GUARDS_MAX = 12;
const GUARD_BYTES = 8 + 8 + IP_BYTES + 2 + RSA_SPKI_BYTES;
const FILE_BYTES_MAX = 2 + GUARDS_MAX * GUARD_BYTES;

export function encodeGuards(guards: readonly Guard[]): Uint8Array {
  const kept = guards.slice(-GUARDS_MAX);
  const writer = new Writer(2 + kept.length * GUARD_BYTES).u8(VERSION).u8(kept.length);
  for (const { peer, sinceMs, untilMs } of kept) {
    writer.u64(Math.floor(sinceMs)).u64(Math.floor(untilMs));
    writer.bytes(ipToBytes(peer.address.ip)).u16(peer.address.port).bytes(peer.publicKey);
  }
  return writer.end();
}

export function decodeGuards(bytes: Uint8Array): Guard[] {
  const reader = new Reader(bytes);
  if (reader.u8() !== VERSION) throw new DecodeError('guards of another version');
  const count = reader.u8();
  if (count > GUARDS_MAX) throw new DecodeError(`${count} guards`);
  const guards = Array.from({ length: count }, () => readGuard(reader));
  reader.expectEnd();
  return guards;
}

function readGuard(reader: Reader): Guard {
  const sinceMs = reader.u64AsNumber();
  const untilMs = reader.u64AsNumber();
  const ip = ipFromBytes(reader.view(IP_BYTES));
  const address = { ip, port: reader.u16() };
  return { peer: toPeer(reader.bytes(RSA_SPKI_BYTES), address), sinceMs, untilMs };
}

export const GUARDS: Shape<readonly Guard[]> = {
  bytesMax: FILE_BYTES_MAX,
  encode: encodeGuards,
  decode: decodeGuards,
};

export interface GuardsFile extends KeptFile<readonly Guard[]> {
  readonly saved: readonly Guard[];
}

/** Rejects with FileError or DecodeError: guards that cannot be read are not replaced by new ones unasked. */
export async function openGuardsFile(
  path: string,
  onFault: (error: FileError) => void,
): Promise<GuardsFile> {
  const writer = keptFileWriter(path, GUARDS, onFault);
  return { saved: await readGuards(path), ...writer };
}

async function readGuards(path: string): Promise<Guard[]> {
  try {
    return decodeGuards((await readFile(path, FILE_BYTES_MAX)).bytes);
  } catch (error) {
    if (error instanceof FileError && error.fault === 'not found') return [];
    throw error;
  }
}
