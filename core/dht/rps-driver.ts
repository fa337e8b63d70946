// Random nodes of the DHT through the API of an RPS module: one RPS QUERY for each, answered in its own time or never. A
// peer without a DHT port, or with a hostkey or an address that we do not accept, is as good as no answer.

import { DecodeError } from '../bytes/index.ts';
import { decodeRsaPublicKey } from '../crypto/index.ts';
import { identityOf } from '../identity/index.ts';
import type { Logger } from '../log/index.ts';
import { type MessageOf, PersistentClient, PORTMAP_APPS, RPS_API } from '../module-api/index.ts';
import type { Address, Runtime } from '../runtime/index.ts';
import { type Contact, toContact } from './contact.ts';
import type { Seeds } from './shelf.ts';

/** RPS may wait up to 5 s for its first peers (issue of the module); then what has come must do. */
const ANSWER_MS = 5500;

export interface RpsSeedsOptions {
  readonly runtime: Runtime;
  readonly address: Address;
  readonly log: Logger;
}

interface Waiting {
  readonly contacts: Contact[];
  missing: number;
  readonly done: () => void;
}

export class RpsSeeds implements Seeds {
  readonly #runtime: Runtime;
  readonly #client: PersistentClient<'rps query', 'rps peer'>;
  /** The latest question; one that is still open when the next comes gets what there is. */
  #waiting: Waiting | undefined;

  constructor({ runtime, address, log }: RpsSeedsOptions) {
    this.#runtime = runtime;
    this.#client = new PersistentClient({
      api: RPS_API,
      address,
      runtime,
      log: log.child('rps'),
      handler: {
        onMessage: (_connection, message) => this.#onPeer(message),
        onClose: () => this.#waiting?.done(),
      },
    });
    this.#client.start();
  }

  async sample(count: number): Promise<readonly Contact[]> {
    this.#waiting?.done();
    const { promise, resolve: done } = Promise.withResolvers<void>();
    const waiting: Waiting = { contacts: [], missing: count, done };
    for (let i = 0; i < count; i++) {
      if (!this.#client.send({ type: 'rps query' })) return [];
    }
    this.#waiting = waiting;
    const timer = this.#runtime.timers.after(ANSWER_MS, done);
    await promise;
    timer.cancel();
    return waiting.contacts;
  }

  async stop(): Promise<void> {
    this.#waiting?.done();
    await this.#client.stop();
  }

  #onPeer(message: MessageOf<'rps peer'>): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const contact = contactOf(message);
    if (contact !== undefined) waiting.contacts.push(contact);
    waiting.missing--;
    if (waiting.missing === 0) waiting.done();
  }
}

function contactOf({ address, portmap, hostkey }: MessageOf<'rps peer'>): Contact | undefined {
  const port = portmap.find(({ app }) => app === PORTMAP_APPS.dht)?.port ?? 0;
  if (port === 0) return undefined;
  try {
    return toContact(identityOf(decodeRsaPublicKey(hostkey)), { ip: address.ip, port });
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
