// A relay without slots: what arrives is opened, turned by one wide-block layer, looked up in the replay table, sealed
// and sent, at once. What a cell costs without waiting, and the least delay there can be. Understands those commands of
// the data plane that lay a circuit.

import { type CryptoProvider, Lioness } from '../core/crypto/index.ts';
import {
  BODY_BYTES,
  CELL_HEADER_BYTES,
  type CellSource,
  COMMAND,
  cellCircuit,
  type LinkId,
  LinkPlane,
  writeCellHeader,
} from '../core/link/index.ts';
import { HopLayer, InnerSeal } from '../core/onion/layers.ts';
import type { CircuitId, PlaneCommand, PlaneEvent } from '../core/onion/plane-port.ts';
import { SeenTable } from '../core/onion/seen.ts';
import { onionTiming, ROUND_SECONDS } from '../core/onion/timing.ts';
import type { Runtime } from '../core/runtime/index.ts';

interface Place {
  readonly link: LinkId;
  readonly circId: number;
}

interface Circuit {
  readonly prev: Place;
  readonly layer: HopLayer;
  readonly seal: InnerSeal;
}

/** One direction of a circuit: what to do with a body, and where it goes. */
interface Way {
  readonly seen: SeenTable;
  readonly to: Place;
  turn(body: Uint8Array): void;
}

export class AtOncePlane {
  readonly #links: LinkPlane;
  readonly #runtime: Runtime;
  readonly #provider: CryptoProvider;
  readonly #lioness: Lioness;
  readonly #circuits = new Map<CircuitId, Circuit>();
  readonly #ways = new Map<LinkId, Map<number, Way>>();
  readonly #source = new OneBody();

  constructor(runtime: Runtime, provider: CryptoProvider, post: (event: PlaneEvent) => void) {
    this.#runtime = runtime;
    this.#provider = provider;
    this.#lioness = new Lioness(provider);
    this.#links = new LinkPlane({
      runtime,
      provider,
      allowPrivate: true,
      post,
      onCell: (link, cell) => this.#onCell(link, cell),
    });
  }

  handle(command: PlaneCommand): void {
    switch (command.type) {
      case 'add relayed': {
        const layer = new HopLayer(this.#lioness, command.secret);
        const seal = new InnerSeal(this.#provider, 'hop', command.secret);
        this.#circuits.set(command.circuit, { prev: command, layer, seal });
        break;
      }
      case 'connect next':
        this.#connect(command.circuit, command);
        break;
      case 'listen':
      case 'add session':
        this.#links.handle(command);
    }
  }

  #connect(id: CircuitId, next: Place): void {
    const circuit = this.#circuits.get(id);
    if (circuit === undefined) return;
    const { prev, layer, seal } = circuit;
    this.#addWay(prev, next, (body) => {
      layer.takeOffForward(body);
      seal.open(body);
    });
    this.#addWay(next, prev, (body) => layer.putOnBackward(body));
  }

  #addWay(from: Place, to: Place, turn: (body: Uint8Array) => void): void {
    const ways = this.#ways.get(from.link) ?? new Map<number, Way>();
    const { cellsPerLife } = onionTiming(ROUND_SECONDS);
    ways.set(from.circId, { to, turn, seen: new SeenTable(this.#runtime.rng, cellsPerLife) });
    this.#ways.set(from.link, ways);
  }

  #onCell(link: LinkId, cell: Uint8Array): void {
    const way = this.#ways.get(link)?.get(cellCircuit(cell));
    if (way === undefined) return;
    const { body } = this.#source;
    body.set(cell.subarray(CELL_HEADER_BYTES));
    if (!way.seen.add(body)) return;
    way.turn(body);
    this.#source.circId = way.to.circId;
    this.#links.send(way.to.link, this.#source);
  }
}

class OneBody implements CellSource {
  readonly body = new Uint8Array(BODY_BYTES);
  circId = 0;

  fill(cell: Uint8Array): boolean {
    writeCellHeader(cell, this.circId, COMMAND.relay);
    cell.set(this.body, CELL_HEADER_BYTES);
    return true;
  }
}
