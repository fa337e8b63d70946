// A crypto provider that notes which primitive was called and over how many bytes: to compare the work of two cells
// without a clock.

import type { CryptoProvider } from '../../crypto/index.ts';
import { provider } from './hops.ts';

export function countingProvider(): {
  readonly counting: CryptoProvider;
  readonly calls: string[];
} {
  const calls: string[] = [];
  const counting: CryptoProvider = {
    ...provider,
    seal(buffer, ...rest) {
      calls.push(`seal ${buffer.length}`);
      provider.seal(buffer, ...rest);
    },
    open(buffer, ...rest) {
      calls.push(`open ${buffer.length}`);
      return provider.open(buffer, ...rest);
    },
    stream(buffer, key) {
      calls.push(`stream ${buffer.length}`);
      provider.stream(buffer, key);
    },
    prf(out, key, input) {
      calls.push(`prf ${input.length}`);
      provider.prf(out, key, input);
    },
  };
  return { counting, calls };
}
