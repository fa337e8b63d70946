// The proof of work of an identity (protocol 4, POW_ID) takes seconds to find and holds for a month, so all modules that use
// one hostkey share it, in a file beside the hostkey: challenge 32, nonce 8. It is no secret.

import { concatBytes, equalBytes } from '../bytes/index.ts';
import { POW_NONCE_BYTES, type PowTask } from '../crypto/index.ts';
import type { Proofs } from '../node/index.ts';
import { FileError, readFile, writeFileAtomic } from '../runtime/index.ts';
import type { Io } from './command.ts';

const CHALLENGE_BYTES = 32;
const FILE_BYTES = CHALLENGE_BYTES + POW_NONCE_BYTES;

export interface ProofOptions {
  readonly io: Io;
  readonly signal: AbortSignal;
  readonly proofs: Proofs;
}

/** The kept one if it answers this task; otherwise finds one, and keeps it. Rejects when the signal says so. */
export async function identityProof(
  hostkeyPath: string,
  task: PowTask,
  { io, signal, proofs }: ProofOptions,
): Promise<Uint8Array> {
  const path = `${hostkeyPath}.proof`;
  const kept = await readKept(path);
  const nonce = kept.subarray(CHALLENGE_BYTES);
  const isOurs = equalBytes(kept.subarray(0, CHALLENGE_BYTES), task.challenge);
  if (kept.length === FILE_BYTES && isOurs && proofs.verify(task, nonce)) return nonce;
  const found = await proofs.solve(task, signal);
  try {
    const bytes = concatBytes(task.challenge, found);
    await writeFileAtomic(path, bytes, { mode: 0o600, existing: 'replace' });
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    io.note(`${error.message}; the next start will take some seconds again`);
  }
  return found;
}

/** Empty for a file that is not there or cannot be read. */
async function readKept(path: string): Promise<Uint8Array> {
  try {
    return (await readFile(path, FILE_BYTES)).bytes;
  } catch (error) {
    if (error instanceof FileError) return new Uint8Array();
    throw error;
  }
}
