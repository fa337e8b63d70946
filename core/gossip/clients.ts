// The modules of our own node that use gossip: what each asked to be notified of, and the notifications it has not answered
// yet. A client is an API connection or a module in the same process.

import { type Rng, randomBelow } from '../runtime/index.ts';

/** The driver's number of a client, never used twice. */
export type ClientId = number;

const MESSAGE_IDS = 65_536;

interface Client<T> {
  readonly dataTypes: Set<number>;
  /** By message ID. Bounded by what is being validated (validation.ts). */
  readonly open: Map<number, T>;
  lastMessageId: number;
}

/** `T` is what a notification is about. */
export class Clients<T> {
  readonly #rng: Rng;
  /** Bounded by the API's connections and the modules of this process. */
  readonly #clients = new Map<ClientId, Client<T>>();

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  /** All data types somebody wants, in the order they were first asked for. */
  dataTypes(): readonly number[] {
    return [...new Set([...this.#clients.values()].flatMap(({ dataTypes }) => [...dataTypes]))];
  }

  wants(dataType: number): boolean {
    for (const client of this.#clients.values()) if (client.dataTypes.has(dataType)) return true;
    return false;
  }

  subscribers(dataType: number): readonly ClientId[] {
    return [...this.#clients]
      .filter(([, client]) => client.dataTypes.has(dataType))
      .map(([id]) => id);
  }

  /** False when it had asked for it already. */
  notify(id: ClientId, dataType: number): boolean {
    const client = this.#client(id);
    if (client.dataTypes.has(dataType)) return false;
    client.dataTypes.add(dataType);
    return true;
  }

  /** A message ID that is free at this client. */
  open(id: ClientId, subject: T): number {
    const client = this.#client(id);
    do client.lastMessageId = (client.lastMessageId + 1) % MESSAGE_IDS;
    while (client.open.has(client.lastMessageId));
    client.open.set(client.lastMessageId, subject);
    return client.lastMessageId;
  }

  /** What that notification was about; undefined for a number that is not open. */
  close(id: ClientId, messageId: number): T | undefined {
    const client = this.#clients.get(id);
    const subject = client?.open.get(messageId);
    client?.open.delete(messageId);
    return subject;
  }

  /** It has gone; what it had not answered. */
  remove(id: ClientId): readonly T[] {
    const client = this.#clients.get(id);
    this.#clients.delete(id);
    return client === undefined ? [] : [...client.open.values()];
  }

  #client(id: ClientId): Client<T> {
    const known = this.#clients.get(id);
    if (known !== undefined) return known;
    const lastMessageId = randomBelow(this.#rng, MESSAGE_IDS);
    const client = { dataTypes: new Set<number>(), open: new Map<number, T>(), lastMessageId };
    this.#clients.set(id, client);
    return client;
  }
}
