// What others ask of us (protocol 7, RPC): who asks is proven by its link. Storing takes a token of ours, a record that may
// stand under its key, and room (holdings.ts).

import { toHex } from '../bytes/index.ts';
import { K } from './contact.ts';
import { type Holdings, REFUSED } from './holdings.ts';
import type { Caller, Drop, Now } from './port.ts';
import { type RecordRules, recordFault } from './record.ts';
import type { Table } from './table.ts';
import type { Tokens } from './tokens.ts';
import type { DhtAnswer, DhtRequest, Found, Stored } from './wire.ts';

export interface ResponderOptions {
  readonly rules: RecordRules;
  readonly table: Table;
  readonly holdings: Holdings;
  readonly tokens: Tokens;
  now(): Now;
  drop(why: Drop): void;
}

export class Responder {
  readonly #options: ResponderOptions;

  constructor(options: ResponderOptions) {
    this.#options = options;
  }

  answer(from: Caller, request: DhtRequest): DhtAnswer {
    const { holdings } = this.#options;
    switch (request.type) {
      case 'ping':
        return { type: 'pong', nonce: request.nonce };
      case 'find node':
        return this.#found(from, request.key, []);
      case 'find value': {
        const held = holdings.under(request.key, this.#options.now());
        return this.#found(
          from,
          request.key,
          held.map(({ record }) => record),
        );
      }
      case 'find parts': {
        const { key, variant, indexes } = request;
        return { type: 'parts', parts: holdings.parts(key, variant, indexes) };
      }
      case 'store':
        return this.#store(from, request);
      case 'store parts':
        return holdings.offerParts(request.key, request.variant, request.parts);
    }
  }

  #found({ identity, ip, contact }: Caller, key: Uint8Array, records: Found['records']): Found {
    const { table, tokens, now } = this.#options;
    const nodes = table.closest(key, K + 1).filter(({ key: name }) => name !== contact?.key);
    const token = tokens.issue(identity, ip, now().nowMs);
    return { type: 'found', token, nodes: nodes.slice(0, K), records };
  }

  #store(from: Caller, request: DhtRequest & { readonly type: 'store' }): Stored {
    const { holdings, tokens, rules, now, drop } = this.#options;
    const { key, token, record } = request;
    const { nowMs, wallMs } = now();
    if (!tokens.holds(token, from.identity, from.ip, nowMs)) {
      drop('token');
      return REFUSED;
    }
    const fault = recordFault(key, record, wallMs, rules);
    if (fault !== undefined) {
      drop(fault);
      return REFUSED;
    }
    return holdings.offer({ key, record, source: toHex(from.identity) }, now());
  }
}
