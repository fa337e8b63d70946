// How much one node may store here (protocol 7): so many values at a time, and so many bytes in an hour.

/** Protocol 7. */
export const VALUES_PER_SOURCE = 64;
export const BYTES_PER_HOUR = 1 << 20;
const HOUR_MS = 3_600_000;
/** A guess; whoever comes when so many are remembered has to wait. */
const SOURCES_MAX = 4096;

interface Account {
  values: number;
  /** What is left of the hour's bytes, as of `atMs`. */
  bytes: number;
  atMs: number;
}

export class Quotas {
  /** At most SOURCES_MAX; those that hold nothing and have their bytes back are forgotten. */
  readonly #accounts = new Map<string, Account>();

  /** False, and nothing is taken, when it has had enough. */
  take(source: string, bytes: number, nowMs: number): boolean {
    const account = this.#accounts.get(source) ?? this.#open(source, nowMs);
    if (account === undefined) return false;
    refill(account, nowMs);
    if (account.values >= VALUES_PER_SOURCE || account.bytes < bytes) return false;
    account.values++;
    account.bytes -= bytes;
    return true;
  }

  /** One of its values is gone. */
  release(source: string): void {
    const account = this.#accounts.get(source);
    if (account !== undefined) account.values--;
  }

  #open(source: string, nowMs: number): Account | undefined {
    if (this.#accounts.size >= SOURCES_MAX) this.#forget(nowMs);
    if (this.#accounts.size >= SOURCES_MAX) return undefined;
    const account = { values: 0, bytes: BYTES_PER_HOUR, atMs: nowMs };
    this.#accounts.set(source, account);
    return account;
  }

  #forget(nowMs: number): void {
    for (const [source, account] of this.#accounts) {
      refill(account, nowMs);
      if (account.values === 0 && account.bytes === BYTES_PER_HOUR) this.#accounts.delete(source);
    }
  }
}

function refill(account: Account, nowMs: number): void {
  const earned = ((nowMs - account.atMs) / HOUR_MS) * BYTES_PER_HOUR;
  account.bytes = Math.min(BYTES_PER_HOUR, account.bytes + earned);
  account.atMs = nowMs;
}
