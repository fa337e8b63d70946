// Which provider this process uses: libsodium where it loads and its known answers are right, else noble. Decided once
// per thread, when first asked.

import { wrongAnswers } from './known-answers.ts';
import { nobleProvider } from './noble.ts';
import type { CryptoProvider, ProviderName } from './provider.ts';
import { loadSodium } from './sodium.ts';

export interface Candidate {
  readonly name: ProviderName;
  /** Throws when this machine does not have it. */
  load(): CryptoProvider;
}

export interface ProviderCheck {
  readonly name: ProviderName;
  /** Undefined when it does not load. */
  readonly provider: CryptoProvider | undefined;
  /** The primitives whose known answers are wrong; empty for a provider that may be used. */
  readonly wrong: readonly string[];
}

/** In the order of preference. */
const CANDIDATES: readonly Candidate[] = [
  { name: 'libsodium', load: loadSodium },
  { name: 'noble', load: () => nobleProvider },
];

let chosen: CryptoProvider | undefined;

export function chooseProvider(): CryptoProvider {
  chosen ??= firstRight(CANDIDATES);
  return chosen;
}

/** All of them, checked now, for `voidphone selftest`. */
export function providers(): readonly ProviderCheck[] {
  return CANDIDATES.map(check);
}

/** Running on wrong cryptography is worse than not running. */
export function firstRight(candidates: readonly Candidate[]): CryptoProvider {
  for (const candidate of candidates) {
    const { provider, wrong } = check(candidate);
    if (provider !== undefined && wrong.length === 0) return provider;
  }
  throw new Error('no cryptographic library gives the right answers on this machine');
}

function check({ name, load }: Candidate): ProviderCheck {
  let provider: CryptoProvider;
  try {
    provider = load();
  } catch {
    return { name, provider: undefined, wrong: [] };
  }
  return { name, provider, wrong: wrongAnswers(provider) };
}
