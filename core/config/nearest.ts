// The known name a mistyped one was probably meant to be.

/** Of two names no longer than ours, three changes make more than a slip. A guess. */
const DISTANCE_MAX = 2;

export function nearest(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .filter((candidate) => Math.abs(candidate.length - name.length) <= DISTANCE_MAX)
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .filter(
      ({ distance, candidate }) => distance <= DISTANCE_MAX && distance < candidate.length / 2,
    )
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

/** Levenshtein's distance: how many characters must be added, dropped or changed. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const changed = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
