/** An entry's name without the trailing slash that Dagger adds to directories. */
export function entryName(entry: string): string {
  return entry.replace(/\/$/, "");
}
