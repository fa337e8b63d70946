// PQ_EK and PQ_CT (protocol 3.1), the LINK_CTRL messages that carry the ML-KEM exchange and, with it, what both sides
// need for the final keys:
//
//   0   4   index   what the other side is to put into packets under the final keys
//   4   8   the sender's Unix time in seconds (2.2: only ever to warn the user)
//  12   -   PQ_EK: public key 1184; PQ_CT: ciphertext 1088; nothing, if the sender knows no ML-KEM

import { Reader, Writer } from '../bytes/index.ts';
import { KEM_CIPHERTEXT_BYTES, KEM_PUBLIC_BYTES } from '../crypto/index.ts';

const FIXED_BYTES = 12;

export interface PqMessage {
  readonly index: number;
  readonly unixS: number;
  readonly kem: Uint8Array | undefined;
}

export function encodePq({ index, unixS, kem = new Uint8Array() }: PqMessage): Uint8Array {
  return new Writer(FIXED_BYTES + kem.length).u32(index).u64(unixS).bytes(kem).end();
}

export function decodePqEk(data: Uint8Array): PqMessage {
  return decodePq(data, KEM_PUBLIC_BYTES);
}

export function decodePqCt(data: Uint8Array): PqMessage {
  return decodePq(data, KEM_CIPHERTEXT_BYTES);
}

function decodePq(data: Uint8Array, kemBytes: number): PqMessage {
  const reader = new Reader(data);
  const [index, unixS] = [reader.u32(), reader.u64AsNumber()];
  const kem = reader.remaining === 0 ? undefined : reader.view(kemBytes);
  reader.expectEnd();
  return { index, unixS, kem };
}
