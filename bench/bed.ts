// Data planes for measurements, over real sockets on loopback. Links have keys that are simply given to both sides and
// tunnels are laid by commands, so what is measured is cells and slots and nothing else.

import type { LinkId, NewSession } from '../core/link/index.ts';
import { encodeInner, INNER, InnerReceiver } from '../core/onion/inner.ts';
import type { PlaneSettings, RunningPlane, StartPlane } from '../core/onion/plane-driver.ts';
import type {
  CircuitId,
  PlaneCommand,
  PlaneCounters,
  PlaneEvent,
} from '../core/onion/plane-port.ts';
import {
  type Address,
  randomBytes,
  randomU32,
  realRng,
  realRuntime,
} from '../core/runtime/index.ts';

export const LOOPBACK = '127.0.0.1';

/** Rounds of the default length, so that tables have the size they have in use. */
export const SETTINGS: PlaneSettings = { roundSeconds: 300, tickMs: 20, allowPrivate: true };

/** What can be at the end of a link. */
export interface LinkHolder {
  readonly address: Address;
  newLink(): LinkId;
  addSession(session: NewSession): void;
}

export class BedNode implements LinkHolder {
  readonly #plane: RunningPlane;
  readonly #listening = Promise.withResolvers<void>();
  #address: Address | undefined;
  #lastLink = 0;
  #lastCircuit = 0;
  /** The newest; undefined in the first second. */
  counters: PlaneCounters | undefined;
  onInner: (circuit: CircuitId, message: Uint8Array) => void = () => {};

  static async start(startPlane: StartPlane): Promise<BedNode> {
    const node = new BedNode(startPlane);
    node.post({ type: 'listen', udp: { ip: LOOPBACK, port: 0 } });
    await node.#listening.promise;
    return node;
  }

  private constructor(startPlane: StartPlane) {
    this.#plane = startPlane(SETTINGS, (event) => this.#onEvent(event));
  }

  get address(): Address {
    if (this.#address === undefined) throw new Error('it does not listen yet');
    return this.#address;
  }

  newLink(): LinkId {
    this.#lastLink++;
    return this.#lastLink;
  }

  newCircuit(): CircuitId {
    this.#lastCircuit++;
    return this.#lastCircuit;
  }

  post(command: PlaneCommand): void {
    this.#plane.post(command);
  }

  addSession(session: NewSession): void {
    this.post({ type: 'add session', session });
  }

  /** One DATA message for the other end of a circuit. */
  send(circuit: CircuitId, data: Uint8Array): void {
    const messages = encodeInner(INNER.data, data, 0);
    this.post({ type: 'send inner', circuit, queue: 'data', messages });
  }

  stop(): Promise<void> {
    return this.#plane.stop();
  }

  #onEvent(event: PlaneEvent): void {
    if (event.type === 'listening') {
      this.#address = event.udp;
      this.#listening.resolve();
    } else if (event.type === 'listen failed') this.#listening.reject(new Error(event.fault));
    else if (event.type === 'counters') this.counters = event.counters;
    else if (event.type === 'inner') this.onInner(event.circuit, event.message);
  }
}

/** The data of a DATA message that was in one cell. */
export function dataOf(message: Uint8Array): Uint8Array | undefined {
  const received = new InnerReceiver().receive(message, 0);
  return received?.type === INNER.data ? received.data : undefined;
}

/** Their numbers of a new link between them. `viaA` is where `b` sends for `a`, if there is something between them. */
export function join(
  a: LinkHolder,
  b: LinkHolder,
  { viaA = a.address, viaB = b.address }: { readonly viaA?: Address; readonly viaB?: Address } = {},
): readonly [LinkId, LinkId] {
  const links = [a.newLink(), b.newLink()] as const;
  const [aKey, bKey] = [randomBytes(realRng, 32), randomBytes(realRng, 32)];
  const [aIndex, bIndex] = [randomU32(realRng), randomU32(realRng)];
  a.addSession({
    link: links[0],
    stage: 'open',
    route: { transport: 'udp', to: viaB },
    keys: {
      // A data plane wipes the keys it is given.
      sendKey: aKey.slice(),
      receiveKey: bKey.slice(),
      sendIndex: bIndex,
      receiveIndex: aIndex,
      sendsFirst: true,
    },
  });
  b.addSession({
    link: links[1],
    stage: 'open',
    route: { transport: 'udp', to: viaA },
    keys: {
      sendKey: bKey,
      receiveKey: aKey,
      sendIndex: aIndex,
      receiveIndex: bIndex,
      sendsFirst: true,
    },
  });
  return links;
}

export interface Tunnel {
  /** Of the initiator, the relays and the endpoint. */
  readonly circuits: readonly CircuitId[];
}

/**
 * A tunnel from the first node over the others to the last; `links` are the ones between each and the next. Takes
 * `gapMs` for each hop, as building does: a relay finds the phase of its slots in what comes in the first second.
 */
export async function lay(
  nodes: readonly BedNode[],
  links: readonly (readonly [LinkId, LinkId])[],
  gapMs = 0,
): Promise<Tunnel> {
  const circuits = nodes.map((node) => node.newCircuit());
  for (const [i, hop] of nodes.slice(1).entries()) {
    const [before, circuit = 0] = [nodes[i], circuits[i]];
    const [link, hopLink] = links[i] ?? [0, 0];
    const [circId, secret] = [(randomU32(realRng) | 1) >>> 0, randomBytes(realRng, 32)];
    const type = i === 0 ? 'add own' : 'connect next';
    before?.post({ type, circuit, link, circId, cells: [] });
    const hopCircuit = circuits[i + 1] ?? 0;
    hop.post({
      type: 'add relayed',
      circuit: hopCircuit,
      link: hopLink,
      circId,
      secret: secret.slice(),
      cells: [],
    });
    if (i > 0) before?.post({ type: 'relay', circuit });
    nodes[0]?.post({ type: 'add hop', circuit: circuits[0] ?? 0, secret });
    if (i > 0) await sleep(gapMs);
  }
  return { circuits };
}

/** Nobody listens on them now, for UDP and TCP alike. */
export async function freePorts(count: number): Promise<number[]> {
  const sockets = await Promise.all(
    Array.from({ length: count }, () =>
      realRuntime.network.bindUdp({ ip: LOOPBACK, port: 0 }, { onPacket: () => {} }),
    ),
  );
  await Promise.all(sockets.map((socket) => socket.close()));
  return sockets.map(({ local }) => local.port);
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** When this process's `performance.now()` was zero, on the one monotonic clock that all processes share. */
export function originMs(): number {
  return Number(process.hrtime.bigint()) / 1e6 - performance.now();
}
