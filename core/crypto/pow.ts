// Proofs of work (protocol 2.1, POW_FAST and POW_ID): an 8-byte nonce under which the hash of a challenge begins with
// enough zero bits. `fast` is SHA-256, for what is made often; `id` is scrypt, for identities, where memory makes
// special hardware dearer. Both are speed bumps, no walls (protocol 4).
//
// What a challenge binds (label, network, identity, epoch), how many bits are asked for, and how many `id` proofs a
// stranger may make us verify is the callers' business.

import { hash, scryptSync } from 'node:crypto';
import { on } from 'node:events';
import { concatBytes } from '../bytes/index.ts';
import { startWorker } from '../runtime/index.ts';

export const POW_CHALLENGE_BYTES = 32;
export const POW_NONCE_BYTES = 8;

/** More than the protocol ever asks for (30, a large DHT value kept for days): an hour of SHA-256 on one core. */
export const POW_BITS_MAX = 32;

/** Protocol 2.1: 4 MiB and about 13 ms. No salt: the input is a fresh hash already. */
const SCRYPT = { N: 4096, r: 8, p: 1 };
const SCRYPT_BYTES = 32;

export interface PowTask {
  readonly kind: 'fast' | 'id';
  readonly challenge: Uint8Array;
  readonly bits: number;
}

/** What the worker tells: now and then how many nonces it has tried, and at the end the one that holds. */
export type PowReport = { readonly attempts: number } | { readonly nonce: Uint8Array };

export interface PowOptions {
  readonly signal?: AbortSignal | undefined;
  /** Attempts so far over attempts expected, a few times a second; with bad luck it passes 1. */
  readonly onProgress?: (fraction: number) => void;
}

/** Finds a nonce, in a thread of its own that has ended when this settles. Rejects with an AbortError on `signal`. */
export async function solvePow(task: PowTask, options: PowOptions = {}): Promise<Uint8Array> {
  checkTask(task);
  options.signal?.throwIfAborted();
  const worker = startWorker(import.meta.url, './pow-worker', task);
  try {
    const messages = on(worker, 'message', { close: ['exit'], signal: options.signal });
    for await (const [message] of messages) {
      const report: PowReport = message;
      if ('nonce' in report) return report.nonce;
      options.onProgress?.(report.attempts / 2 ** task.bits);
    }
    throw new Error('the worker ended without a proof');
  } finally {
    await worker.terminate();
  }
}

/** About 1 µs for `fast`, 13 ms for `id`. The bits are what we demand, never what a stranger claims. */
export function verifyPow(task: PowTask, nonce: Uint8Array): boolean {
  checkTask(task);
  if (nonce.length !== POW_NONCE_BYTES) throw new RangeError(`a nonce of ${nonce.length} bytes`);
  return powZeroBits(task.kind, concatBytes(task.challenge, nonce)) >= task.bits;
}

/** Tries one nonce after the other, from 0 on, until one holds; says how many it has tried. */
export function findNonce(task: PowTask, onAttempt: (attempts: number) => void): Uint8Array {
  const input = concatBytes(task.challenge, new Uint8Array(POW_NONCE_BYTES));
  const view = new DataView(input.buffer, POW_CHALLENGE_BYTES);
  for (let attempts = 0; ; onAttempt(++attempts)) {
    view.setUint32(0, attempts / 2 ** 32);
    view.setUint32(4, attempts);
    if (powZeroBits(task.kind, input) >= task.bits) return input.slice(POW_CHALLENGE_BYTES);
  }
}

/** How many zero bits, 32 at most, the hash of challenge and nonce begins with. */
export function powZeroBits(kind: PowTask['kind'], challengeAndNonce: Uint8Array): number {
  // As hexadecimal, because node makes a string twice as fast as a Buffer.
  const digest = hash('sha256', challengeAndNonce, 'hex');
  if (kind === 'fast') return Math.clz32(Number.parseInt(digest.slice(0, 8), 16));
  const stretched = scryptSync(Buffer.from(digest, 'hex'), '', SCRYPT_BYTES, SCRYPT);
  return Math.clz32(stretched.readUInt32BE());
}

/** RangeError for a task that cannot be. */
export function checkTask({ challenge, bits }: PowTask): void {
  if (challenge.length !== POW_CHALLENGE_BYTES) {
    throw new RangeError(`a challenge of ${challenge.length} bytes`);
  }
  if (!Number.isInteger(bits) || bits < 0 || bits > POW_BITS_MAX) {
    throw new RangeError(`a proof of ${bits} bits`);
  }
}
