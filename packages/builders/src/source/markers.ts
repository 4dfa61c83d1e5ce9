import type { Build } from "@tgo/catalog";

/** Paths in the source of which a strategy requires at least one. */
export function markersOf(build: Build): readonly string[] {
  switch (build.strategy) {
    case "python":
      return ["pyproject.toml", build.lock ?? "requirements.txt"];
    case "static-web":
      return ["package.json"];
    case "dockerfile":
      return [build.file];
  }
}

/** Whether a directory has one of the markers, judging by its entries alone. */
export function isMarked(build: Build, entries: readonly string[]): boolean {
  return markersOf(build).some((marker) => entries.includes(marker.split("/")[0] ?? ""));
}
