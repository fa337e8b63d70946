// What the way from one host to another does to packets, as plain data, and the profiles of performance.md. What
// acts on it is path.ts. Bandwidth belongs to a host's access line (pipe.ts), not to the way between two.

export type Latency =
  | { readonly type: 'constant'; readonly ms: number }
  | { readonly type: 'uniform'; readonly minMs: number; readonly maxMs: number }
  /** Cut off below at `minMs`. */
  | {
      readonly type: 'normal';
      readonly meanMs: number;
      readonly deviationMs: number;
      readonly minMs: number;
    }
  /** `minMs` of propagation plus queueing with a long tail: median `medianMs`, exp(sigma · normal). */
  | {
      readonly type: 'lognormal';
      readonly minMs: number;
      readonly medianMs: number;
      readonly sigma: number;
    };

/** The Gilbert–Elliott model: a path is in a burst or not, and changes with these chances before every packet. */
export interface BurstLoss {
  readonly enter: number;
  readonly leave: number;
  readonly lossInside: number;
  readonly lossOutside: number;
}

export interface PathProfile {
  readonly latency: Latency;
  /** A number: that share of all packets, each by itself. */
  readonly loss?: number | BurstLoss;
  /** Share of the packets that arrive twice. */
  readonly duplicate?: number;
  /** `kept` (the default): as behind one queue. `free`: whatever the latencies drawn make of it. */
  readonly order?: 'kept' | 'free';
  /** Datagrams larger than this on the wire are lost. TCP is taken to discover the size by itself. */
  readonly mtuBytes?: number;
}

/** Losses of `rate` of all packets in the long run, in bursts of `length` packets on average. */
export function bursts(rate: number, length: number): BurstLoss {
  return { enter: rate / (1 - rate) / length, leave: 1 / length, lossInside: 1, lossOutside: 0 };
}

/** 0 ms in performance.md; a tenth here, so that an effect comes after its cause. */
export const LAN: PathProfile = { latency: { type: 'constant', ms: 0.1 } };

export const EU: PathProfile = {
  latency: { type: 'uniform', minMs: 12, maxMs: 18 },
  loss: 0.01,
};

export const WAN: PathProfile = {
  latency: { type: 'uniform', minMs: 30, maxMs: 50 },
  loss: bursts(0.02, 3),
};
