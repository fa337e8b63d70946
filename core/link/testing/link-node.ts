// A whole node of links for tests: Links and LinkPlane put together as in production, but in one thread.

import { chooseProvider } from '../../crypto/index.ts';
import type { NodeDescriptor } from '../../identity/index.ts';
import type { Address, Runtime, Timer } from '../../runtime/index.ts';
import { CELL_BYTES, COMMAND, cellBody, writeCellHeader } from '../cells.ts';
import type { LinkLimits } from '../judge.ts';
import type { Now } from '../link.ts';
import { Links } from '../links.ts';
import type { LinksEvent, LinkUp, Listen } from '../links-port.ts';
import { LinkPlane } from '../plane.ts';
import type { LinkCommand, LinkEvent, LinkId } from '../port.ts';
import { NETWORK_ID, type TestNode } from './nodes.ts';

const provider = chooseProvider();

export interface LinkNodeOptions {
  readonly runtime: Runtime;
  readonly node: TestNode;
  readonly listen: Listen;
  readonly allowPrivate?: boolean;
  readonly limits?: LinkLimits;
  readonly hasProof?: (peer: NodeDescriptor) => boolean;
}

export interface SeenCell {
  readonly link: LinkId;
  readonly body: Uint8Array;
  readonly sequence: number;
}

export class LinkNode {
  readonly identity;
  readonly links: Links;
  readonly plane: LinkPlane;
  readonly events: LinksEvent[] = [];
  /** What went over the port, in both directions. */
  readonly commands: LinkCommand[] = [];
  readonly planeEvents: LinkEvent[] = [];
  readonly cells: SeenCell[] = [];
  readonly #runtime: Runtime;
  #timer: Timer | undefined;
  #stopped = false;

  constructor({ runtime, node, listen, hasProof = () => true, ...options }: LinkNodeOptions) {
    const { descriptor, staticKey } = node;
    const { identity } = descriptor;
    const allowPrivate = options.allowPrivate ?? false;
    this.identity = identity;
    this.#runtime = runtime;
    this.plane = new LinkPlane({
      runtime,
      provider,
      allowPrivate,
      post: (event) => this.#onPlane(event),
      onCell: (link, cell, sequence) => {
        this.cells.push({ link, body: new Uint8Array(cellBody(cell)), sequence });
      },
    });
    this.links = new Links({
      ...options,
      provider,
      rng: runtime.rng,
      networkId: NETWORK_ID,
      self: { identity, staticKey, certificate: descriptor.encoded },
      allowPrivate,
      hasProof,
      post: (command) => {
        this.commands.push(command);
        this.plane.handle(command);
      },
      emit: (event) => this.events.push(event),
      nowMs: runtime.clock.nowMs(),
    });
    this.links.listen(listen);
  }

  get now(): Now {
    const { clock } = this.#runtime;
    return { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
  }

  /** What it is listening on, for UDP and TCP alike. */
  get address(): Address {
    const { udp, tcp } = this.event('listening') ?? {};
    const address = udp ?? tcp;
    if (address === undefined) throw new Error('it is not listening yet');
    return address;
  }

  get ups(): readonly (LinksEvent & { readonly type: 'up' })[] {
    return this.all('up');
  }

  /** The last event of this type. */
  event<T extends LinksEvent['type']>(type: T): (LinksEvent & { readonly type: T }) | undefined {
    return this.all(type).at(-1);
  }

  all<T extends LinksEvent['type']>(type: T): readonly (LinksEvent & { readonly type: T })[] {
    return this.events.filter((event): event is LinksEvent & { type: T } => event.type === type);
  }

  /** Calls `node` there, and answers what `open` said at once. */
  open(node: { readonly identity: LinkUp['identity'] }, address: Address, onBehalf = false) {
    const opening = this.links.open({ identity: node.identity, address }, this.now, { onBehalf });
    this.schedule();
    return opening;
  }

  /** Sends a RELAY cell with this body. */
  send(link: LinkId, body: Uint8Array): boolean {
    return this.plane.send(link, {
      fill(cell) {
        cell.fill(0, 0, CELL_BYTES);
        writeCellHeader(cell, 1, COMMAND.relay);
        cellBody(cell).set(body);
        return true;
      },
    });
  }

  /** After whatever may have changed the links' deadline. */
  schedule(): void {
    this.#timer?.cancel();
    const atMs = this.links.nextDeadlineMs();
    if (this.#stopped || atMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(0, atMs - this.#runtime.clock.nowMs());
    this.#timer = this.#runtime.timers.after(delayMs, () => {
      this.links.onTimer(this.now);
      this.schedule();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.plane.stop();
  }

  #onPlane(event: LinkEvent): void {
    this.planeEvents.push(event);
    this.links.handle(event, this.now);
    this.schedule();
  }
}
