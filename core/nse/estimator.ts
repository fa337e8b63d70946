// From distances to a number of nodes (protocol 6, "Estimators"). The input is, for each round, how near the nearest of all
// N nodes was to the target, as a fraction: the minimum of N uniform numbers.
//
// Then −ln(1 − d) is exponential with mean 1/N, exactly, and (m − 1) over the sum of m of these is N on average, with a
// deviation of 1/√(m − 2): 12.7 % at 64 rounds. Protocol 6 sums d itself, which is the same for large N and one too many for
// small. Before, −log2 d is clipped around its median, so that neither identities ground for a round nor winners that
// were kept from others move the sum far.

/** Protocol 6: γ/ln 2 − 1/2, how far the mean of whole bits is above log2 N. */
const MEAN_BITS_ABOVE = 0.332747;
/** Protocol 6: with fewer rounds than this, GNUnet's mean of bits. */
const ROUNDS_MIN = 4;
/** Protocol 6. By chance alone, 4 in 1,000 minima are as far below the median, and 1 in 100 above it. */
const CLIP_BELOW_BITS = 3;
const CLIP_ABOVE_BITS = 6;

/** Undefined without any round. */
export function estimateSize(minima: readonly number[]): number | undefined {
  if (minima.length === 0) return undefined;
  const bits = minima.map((fraction) => -Math.log2(fraction));
  return minima.length < ROUNDS_MIN ? meanOfBits(bits) : clippedLikelihood(bits);
}

function meanOfBits(bits: readonly number[]): number {
  return 2 ** (mean(bits.map(Math.floor)) - MEAN_BITS_ABOVE);
}

function clippedLikelihood(bits: readonly number[]): number {
  const middle = median(bits);
  const sum = bits
    .map((value) => Math.max(middle - CLIP_BELOW_BITS, Math.min(value, middle + CLIP_ABOVE_BITS)))
    .reduce((total, clipped) => total - Math.log1p(-(2 ** -clipped)), 0);
  return (bits.length - 1) / sum;
}

/** Of the sample; 0 until there are two values. */
export function sampleDeviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = mean(values);
  const squares = values.reduce((total, value) => total + (value - middle) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  const ordered = values.toSorted((a, b) => a - b);
  const half = ordered.length / 2;
  const [low = 0, high = low] = ordered.slice(Math.ceil(half) - 1, Math.floor(half) + 1);
  return (low + high) / 2;
}
