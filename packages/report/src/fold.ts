/** Things that say the same, said once for all of them. */
export interface Folded<T> {
  readonly value: T;
  readonly names: readonly string[];
}

/** Groups names by an equal value, in the order of first appearance. @param keyOf what has to be equal */
export function fold<T>(
  entries: readonly (readonly [name: string, value: T])[],
  keyOf: (value: T, name: string) => string,
): Folded<T>[] {
  const groups = new Map<string, { value: T; names: string[] }>();
  for (const [name, value] of entries) {
    const key = keyOf(value, name);
    const group = groups.get(key) ?? { value, names: [] };
    if (!group.names.includes(name)) group.names.push(name);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** "tgo-api, tgo-web"; "" for all of several: what goes for everything needs no name. */
export function whose(names: readonly string[], all: readonly string[]): string {
  return names.length === all.length && all.length > 1 ? "" : names.join(", ");
}
