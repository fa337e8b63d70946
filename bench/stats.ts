// What is said about samples: quantiles, means, and how far two distributions are apart.

/** Of samples in any order; NaN of none. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The greatest difference of their distribution functions, between 0 and 1 (Kolmogorov and Smirnov's distance). */
export function distance(some: readonly number[], others: readonly number[]): number {
  const [a, b] = [some.toSorted((x, y) => x - y), others.toSorted((x, y) => x - y)];
  let [i, j, greatest] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const at = Math.min(a[i] ?? 0, b[j] ?? 0);
    while (i < a.length && (a[i] ?? 0) <= at) i++;
    while (j < b.length && (b[j] ?? 0) <= at) j++;
    greatest = Math.max(greatest, Math.abs(i / a.length - j / b.length));
  }
  return greatest;
}
