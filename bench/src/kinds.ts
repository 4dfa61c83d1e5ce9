/** The builds measured for every service, in the order of the tables. */
export const KINDS = ["one", "both", "warm", "edit", "foreign", "dockerfile", "emulated"] as const;
export type Kind = (typeof KINDS)[number];

/** A kind in words. */
export function describeKind(kind: Kind, native: string, foreign: string): string {
  switch (kind) {
    case "one":
      return `${native} alone, cold`;
    case "both":
      return "both platforms, cold";
    case "warm":
      return "both platforms again, nothing changed";
    case "edit":
      return "both platforms, one source file edited";
    case "foreign":
      return `${foreign} alone, cold`;
    case "dockerfile":
      return `its Dockerfile, ${native}, cold`;
    case "emulated":
      return `its Dockerfile, ${foreign} under emulation, cold`;
  }
}

/** Groups of builds that share one engine, empty at first. */
export const UNIT_NAMES = ["one", "both", "foreign", "dockerfile", "emulated"] as const;
export type UnitName = (typeof UNIT_NAMES)[number];

/** The kinds of each unit, in order: a warm build and an edit need the cold build before them. */
export const UNITS = {
  one: ["one"],
  both: ["both", "warm", "edit"],
  foreign: ["foreign"],
  dockerfile: ["dockerfile"],
  emulated: ["emulated"],
} as const satisfies Record<UnitName, readonly Kind[]>;

/** The unit that measures a kind. */
export function unitOf(kind: Kind): UnitName {
  return kind === "warm" || kind === "edit" ? "both" : kind;
}
