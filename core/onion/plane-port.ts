// What the onion's control plane and its data plane say to each other, beside the link messages of core/link/port.ts.
// Plain data: in production it crosses a thread boundary.
//
// A circuit in the data plane is either our own (we built it, it has one link and a stack of layers) or relayed (a link
// towards the initiator, `prev`, and perhaps one onwards, `next`). `circuit` numbers are local and never on the wire;
// `circId` is the number on the link, `secret` what one hop's handshake yields: layers.ts makes all keys from it.

import type { LinkCommand, LinkEvent, LinkId } from '../link/index.ts';

export type CircuitId = number;
export type Side = 'prev' | 'next';
export type SendQueue = 'control' | 'data' | 'idle';

/** Nothing has come for TUNNEL_TIMEOUT_MS; too much is lost on the way to us; what should be echoed is not. */
export type Failing = 'silent' | 'lossy' | 'unanswered';

export type CircuitCommand =
  /** Our own circuit: slots start at once and carry the CREATE cells first. */
  | {
      readonly type: 'add own';
      readonly circuit: CircuitId;
      readonly link: LinkId;
      readonly circId: number;
      readonly cells: readonly Uint8Array[];
    }
  /** The newest hop answered: bodies now get one layer more, and inner messages go to this hop. */
  | { readonly type: 'add hop'; readonly circuit: CircuitId; readonly secret: Uint8Array }
  /** A circuit somebody builds through us: we are its endpoint until `relay` says otherwise. */
  | {
      readonly type: 'add relayed';
      readonly circuit: CircuitId;
      readonly link: LinkId;
      readonly circId: number;
      readonly secret: Uint8Array;
      readonly cells: readonly Uint8Array[];
    }
  /** Starts the slots towards the next hop, CREATE cells first; we stay endpoint meanwhile. */
  | {
      readonly type: 'connect next';
      readonly circuit: CircuitId;
      readonly link: LinkId;
      readonly circId: number;
      readonly cells: readonly Uint8Array[];
    }
  /** From when the queued inner messages are out, bodies pass through in both directions. */
  | { readonly type: 'relay'; readonly circuit: CircuitId }
  /** The next hop failed: its slots end, we stay endpoint. */
  | { readonly type: 'disconnect next'; readonly circuit: CircuitId }
  /** Further control cells (retries, DESTROY) in the next slots of that side; own circuits have only `next`. */
  | {
      readonly type: 'send cells';
      readonly circuit: CircuitId;
      readonly side: Side;
      readonly cells: readonly Uint8Array[];
    }
  /**
   * The plaintexts of one message (header and data, padded by the plane) for the far end: control ones go first, idle
   * ones when no data waits.
   */
  | {
      readonly type: 'send inner';
      readonly circuit: CircuitId;
      readonly queue: SendQueue;
      readonly messages: readonly Uint8Array[];
    }
  /** Messages that wait on one circuit go over another that takes its place; one that has begun goes on where it is. */
  | { readonly type: 'move data'; readonly circuit: CircuitId; readonly to: CircuitId }
  /** The data that waits outlives the circuit, and more may be sent to wait there, until it is moved or forgotten. */
  | { readonly type: 'keep data'; readonly circuit: CircuitId }
  | { readonly type: 'forget data'; readonly circuit: CircuitId }
  /** Ends the slots now, after any waiting control cells, and wipes the keys. */
  | { readonly type: 'remove'; readonly circuit: CircuitId };

export type CircuitEvent =
  /** CREATE, CREATED, DESTROY, RDV_CREATE, RDV_CREATED on an open link; `circuit` when the number is known. */
  | {
      readonly type: 'cell';
      readonly link: LinkId;
      readonly circuit?: CircuitId;
      readonly side?: Side;
      readonly cell: Uint8Array;
    }
  /** An authentic inner message the plane does not serve by itself (it serves PAD, COVER and PROBE). */
  | { readonly type: 'inner'; readonly circuit: CircuitId; readonly message: Uint8Array }
  /** Our own circuit, and again every second until it is well. */
  | { readonly type: 'circuit failing'; readonly circuit: CircuitId; readonly why: Failing }
  /** So many messages had to go for one that was offered. */
  | { readonly type: 'data dropped'; readonly circuit: CircuitId; readonly messages: number }
  | { readonly type: 'counters'; readonly counters: PlaneCounters };

/** Sums since the start, posted once a second. */
export interface PlaneCounters {
  readonly packetsIn: number;
  readonly packetsOut: number;
  /** Of those that came in. */
  readonly packetsDropped: number;
  /** Data packets whose stream had backed up. */
  readonly packetsUnsent: number;
  /** Bodies that arrived on circuits of others. */
  readonly cellsRelayed: number;
  /** Slots of relayed circuits that were filled with noise. */
  readonly cellsSubstituted: number;
  readonly cellsReplayed: number;
  /** Bodies on a circuit number that is none of this neighbour's, or not any more. */
  readonly cellsUnowned: number;
  /** Bodies beyond the one per slot that a neighbour sends. */
  readonly cellsExcess: number;
  readonly slotsSkipped: number;
}

export type PlaneCommand = LinkCommand | CircuitCommand;
export type PlaneEvent = LinkEvent | CircuitEvent;
