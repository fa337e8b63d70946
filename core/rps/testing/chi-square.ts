// Pearson's test of whether counts are uniform.

export function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** Exceeded by chance once in a thousand times (Wilson and Hilferty's approximation). */
export function chiSquareMax(degrees: number): number {
  const z = 3.09;
  const scale = 2 / (9 * degrees);
  return degrees * (1 - scale + z * Math.sqrt(scale)) ** 3;
}
