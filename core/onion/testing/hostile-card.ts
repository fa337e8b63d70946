// A network card that works against the node it is in, or rather for the attacker who runs both: it knows the link keys,
// opens every packet of an open link that leaves or arrives, and lets a behaviour drop, change, hold or repeat the cell in
// it before it goes on under a counter of its own. The node between is the production node, unchanged.
//
// Handshakes, the set-up of links and streams pass as they are.

import type { CryptoProvider } from '../../crypto/index.ts';
import {
  cellBody,
  cellCircuit,
  cellCommand,
  DATAGRAM_BYTES,
  type LinkId,
  type NewSession,
  Session,
} from '../../link/index.ts';
import { DataPacket, dataIndex, HEADER_BYTES, isData } from '../../link/wire.ts';
import type { Address, Network, Runtime, UdpHandlers, UdpSocket } from '../../runtime/index.ts';

export interface PassingCell {
  readonly direction: 'in' | 'out';
  readonly link: LinkId;
  readonly circId: number;
  readonly command: number;
  /** 512 bytes that may be changed in place. */
  readonly body: Uint8Array;
}

/** What goes on in the place of a cell. */
export interface Passed {
  readonly body: Uint8Array;
  readonly delayMs?: number;
  /** Of the datagram, when it is to be of a wrong size. */
  readonly bytes?: number;
}

export interface HostileCardOptions {
  readonly runtime: Runtime;
  readonly provider: CryptoProvider;
  /** Undefined: it goes on as it now is. */
  onCell(cell: PassingCell): readonly Passed[] | undefined;
}

/** One direction of a session, opened and sealed again. */
interface Tapped {
  readonly link: LinkId;
  readonly session: Session;
}

export class HostileCard {
  readonly network: Network;
  readonly #options: HostileCardOptions;
  /** By where packets go and the index they carry. */
  readonly #out = new Map<string, Tapped>();
  readonly #in = new Map<number, Tapped>();
  readonly #packet = new DataPacket();

  constructor(options: HostileCardOptions) {
    const { network } = options.runtime;
    this.#options = options;
    this.network = {
      bindUdp: (local, handlers) => this.#bind(local, handlers),
      listenTcp: (local, onStream) => network.listenTcp(local, onStream),
      dialTcp: (to, dial) => network.dialTcp(to, dial),
      dialSocks: (to, proxy, dial) => network.dialSocks(to, proxy, dial),
    };
  }

  learn({ link, stage, route, keys }: NewSession): void {
    if (stage !== 'open' || route.transport !== 'udp') return;
    const { sendKey, receiveKey, sendIndex, receiveIndex } = keys;
    const out = this.#session({ ...keys, receiveKey: sendKey });
    this.#out.set(outName(route.to, sendIndex), { link, session: out });
    const session = this.#session({ ...keys, sendKey: receiveKey, sendIndex: receiveIndex });
    this.#in.set(receiveIndex, { link, session });
  }

  #session(keys: NewSession['keys']): Session {
    const { provider } = this.#options;
    return new Session({ provider, keys, nowMs: this.#nowMs() });
  }

  #nowMs(): number {
    return this.#options.runtime.clock.nowMs();
  }

  async #bind(local: Address, handlers: UdpHandlers): Promise<UdpSocket> {
    const socket = await this.#options.runtime.network.bindUdp(local, {
      onPacket: (packet, from) => {
        const tapped = this.#in.get(isWhole(packet) ? dataIndex(packet) : -1);
        const goOn = (bytes: Uint8Array): void => handlers.onPacket(bytes, from);
        if (tapped === undefined) goOn(packet);
        else this.#pass('in', tapped, packet, goOn);
      },
    });
    return {
      local: socket.local,
      get sendErrors() {
        return socket.sendErrors;
      },
      close: () => socket.close(),
      send: (packet, to) => {
        const tapped = isWhole(packet) ? this.#out.get(outName(to, dataIndex(packet))) : undefined;
        const goOn = (bytes: Uint8Array): void => socket.send(bytes, to);
        if (tapped === undefined) goOn(packet);
        else this.#pass('out', tapped, packet, goOn);
      },
    };
  }

  #pass(
    direction: PassingCell['direction'],
    { link, session }: Tapped,
    packet: Uint8Array,
    goOn: (bytes: Uint8Array) => void,
  ): void {
    this.#packet.bytes.set(packet);
    if (session.open(this.#packet, this.#nowMs()) !== 'ok') return;
    const { cell } = this.#packet;
    const [circId, command, body] = [cellCircuit(cell), cellCommand(cell), cellBody(cell)];
    const instead = this.#options.onCell({ direction, link, circId, command, body });
    if (instead === undefined) this.#seal(session, this.#packet, goOn);
    const head = cell.slice(0, cell.length - body.length);
    for (const { body: other, delayMs = 0, bytes = DATAGRAM_BYTES } of instead ?? []) {
      const changed = packetOf(bytes, head, other);
      if (delayMs === 0) this.#seal(session, changed, goOn);
      else {
        this.#options.runtime.timers.after(delayMs, () => this.#seal(session, changed, goOn));
      }
    }
  }

  #seal(session: Session, packet: DataPacket, goOn: (bytes: Uint8Array) => void): void {
    if (session.seal(packet, this.#nowMs())) goOn(packet.bytes);
  }
}

function isWhole(packet: Uint8Array): boolean {
  return packet.length === DATAGRAM_BYTES && isData(packet);
}

function outName({ ip, port }: Address, index: number): string {
  return `${ip} ${port} ${index}`;
}

function packetOf(length: number, head: Uint8Array, body: Uint8Array): DataPacket {
  const bytes = new Uint8Array(length);
  const sealed = bytes.subarray(HEADER_BYTES);
  const cell = sealed.subarray(0, head.length + body.length);
  cell.set(head);
  cell.set(body.subarray(0, Math.max(0, cell.length - head.length)), head.length);
  return { bytes, header: bytes.subarray(0, HEADER_BYTES), sealed, cell };
}
