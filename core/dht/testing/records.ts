// Records and nodes for machine tests, with proofs of work that are none.

import { toIdentity } from '../../identity/index.ts';
import { type Contact, toContact } from '../contact.ts';
import { cut } from '../manifest.ts';
import { type DhtRecord, makeRecord, type RecordFields } from '../record.ts';

/** Unix time of every test's beginning. */
export const WALL_MS = Date.UTC(2030, 0, 1);

export function record(payload: Uint8Array, changes: Partial<RecordFields> = {}): DhtRecord {
  return makeRecord({
    form: 'opaque',
    copies: 8,
    createdS: WALL_MS / 1000,
    lifetimeS: 3600,
    nonce: new Uint8Array(8).fill(1),
    signer: undefined,
    isParted: false,
    payload,
    ...changes,
  });
}

/** Of a value that needs parts. */
export function parted(value: Uint8Array, changes: Partial<RecordFields> = {}) {
  const { manifest, parts } = cut(value);
  return { record: record(manifest, { isParted: true, ...changes }), parts };
}

/** A node whose id begins with these bytes, in a network of its own unless `ip` says otherwise. */
export function contact(start: readonly number[], ip = publicIp(start)): Contact {
  const id = new Uint8Array(32);
  id.set(start);
  return toContact(toIdentity(id), { ip, port: 4000 });
}

function publicIp([a = 0, b = 0, c = 0]: readonly number[]): string {
  return `${20 + (a % 60)}.${b}.${c}.${1 + (a >> 6)}`;
}

export function filled(byte: number): Uint8Array {
  return new Uint8Array(32).fill(byte);
}
