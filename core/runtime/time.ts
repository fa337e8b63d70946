// Time as the rest of the program sees it. Machines get times as arguments; drivers get a Clock and Timers. The
// real ones are in real-time.ts, the virtual ones in sim/.

export interface Clock {
  /** Monotonic milliseconds from an arbitrary origin, with fractions. For intervals and deadlines. */
  nowMs(): number;
  /** Unix time in milliseconds, as the system believes it. For rounds, epochs and expiry dates. */
  wallMs(): number;
}

export interface Timers {
  /** Calls `run` once, `delayMs` from now or as soon after as possible. */
  after(delayMs: number, run: () => void): Timer;
}

export interface Timer {
  /** Harmless when it has run already. */
  cancel(): void;
}
