// Hostile nodes that work together (attack 22): they name each other as the nearest nodes to anything, or nodes that are
// nowhere, say that they have stored what they throw away, and have a value of their own for every key.

import { POW_NONCE_BYTES, sha256 } from '../../crypto/index.ts';
import { toIdentity } from '../../identity/index.ts';
import type { Rpc } from '../../rpc/index.ts';
import { SERVICE } from '../../rpc/index.ts';
import { pick, type Rng, randomBytes } from '../../runtime/index.ts';
import { type Contact, K, toContact } from '../contact.ts';
import { compareDistance } from '../distance.ts';
import { makeRecord } from '../record.ts';
import { type DhtAnswer, type DhtRequest, decodeRequest, encodeAnswer } from '../wire.ts';

/** Real accomplices, nodes that do not exist, or only the wrong value with honest-looking nodes. */
export const BEHAVIOURS = ['accomplices', 'ghosts', 'both'] as const;

export class HostileRing {
  readonly members: Contact[] = [];
  readonly #rng: Rng;
  readonly #wallMs: () => number;

  constructor(rng: Rng, wallMs: () => number) {
    this.#rng = rng;
    this.#wallMs = wallMs;
  }

  /** The value all of them tell for a key. */
  valueOf(key: Uint8Array): Uint8Array {
    return sha256(key, new Uint8Array([0xbd]));
  }

  join(contact: Contact, rpc: Rpc): void {
    this.members.push(contact);
    const behaviour = pick(this.#rng, BEHAVIOURS) ?? 'both';
    rpc.serve(SERVICE.dht, (_, bytes, answer) => {
      answer(encodeAnswer(this.#answer(decodeRequest(bytes), behaviour)));
    });
  }

  #answer(request: DhtRequest, behaviour: (typeof BEHAVIOURS)[number]): DhtAnswer {
    switch (request.type) {
      case 'ping':
        return { type: 'pong', nonce: request.nonce };
      case 'find node':
      case 'find value':
        return this.#found(request, behaviour);
      case 'find parts':
        return {
          type: 'parts',
          parts: request.indexes.map((index) => ({ index, bytes: randomBytes(this.#rng, 1024) })),
        };
      default:
        return { type: 'stored', status: 'stored', missing: [] };
    }
  }

  #found(
    { type, key }: DhtRequest & { readonly type: 'find node' | 'find value' },
    behaviour: (typeof BEHAVIOURS)[number],
  ): DhtAnswer {
    const near = this.members
      .toSorted((a, b) => compareDistance(key, a.identity, b.identity))
      .slice(0, K);
    const ghosts = Array.from({ length: K }, () => this.#ghost(key));
    const nodes = {
      accomplices: near,
      ghosts,
      both: [...ghosts.slice(0, K / 2), ...near.slice(0, K / 2)],
    }[behaviour];
    const record = makeRecord({
      form: 'opaque',
      copies: K,
      createdS: Math.floor(this.#wallMs() / 1000),
      lifetimeS: 3600,
      nonce: randomBytes(this.#rng, POW_NONCE_BYTES),
      signer: undefined,
      isParted: false,
      payload: this.valueOf(key),
    });
    const token = randomBytes(this.#rng, 16);
    return { type: 'found', token, nodes, records: type === 'find value' ? [record] : [] };
  }

  /** Nobody has this identity, which is as near to the key as it can be. */
  #ghost(key: Uint8Array): Contact {
    const id = new Uint8Array(key);
    id.set(randomBytes(this.#rng, 20), 12);
    const [a = 0, b = 0, c = 0] = randomBytes(this.#rng, 3);
    return toContact(toIdentity(id), { ip: `${20 + (a % 60)}.${b}.${c}.9`, port: 4000 });
  }
}
