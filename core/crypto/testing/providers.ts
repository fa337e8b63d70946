// Both providers, for the tests that run on each.

import { nobleProvider } from '../noble.ts';
import type { CryptoProvider } from '../provider.ts';
import { loadSodium } from '../sodium.ts';

export const BOTH: readonly CryptoProvider[] = [loadSodium(), nobleProvider];
