// The length checks both providers share. A wrong length is a bug of ours, never a stranger's doing: whoever decodes a
// message has fixed the lengths already. Checked here and not left to the libraries, of which one aborts the process.

import { KEY_BYTES, NONCE_BYTES, PRF_BYTES, TAG_BYTES } from './provider.ts';

export function expectLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length !== length) {
    throw new RangeError(`${what} has ${bytes.length} bytes and not ${length}`);
  }
}

export function expectSealable(buffer: Uint8Array, nonce: Uint8Array, key: Uint8Array): void {
  if (buffer.length < TAG_BYTES) throw new RangeError('no room for the tag');
  expectLength(nonce, NONCE_BYTES, 'nonce');
  expectLength(key, KEY_BYTES, 'key');
}

/** False for what is too short to carry a tag: how long a sealed record is, a stranger may decide. */
export function isOpenable(buffer: Uint8Array, nonce: Uint8Array, key: Uint8Array): boolean {
  expectLength(nonce, NONCE_BYTES, 'nonce');
  expectLength(key, KEY_BYTES, 'key');
  return buffer.length >= TAG_BYTES;
}

export function expectPrf(out: Uint8Array, key: Uint8Array): void {
  expectLength(out, PRF_BYTES, 'output');
  expectLength(key, KEY_BYTES, 'key');
}
