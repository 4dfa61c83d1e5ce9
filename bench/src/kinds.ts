/** What is measured of every service, in the order the tables have. */
export const KINDS = ["one", "both", "warm", "edit", "foreign", "dockerfile", "emulated"] as const;
export type Kind = (typeof KINDS)[number];

/** What a kind is called where there is room. */
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

/** What is measured on one engine, begun with nothing. */
export const UNIT_NAMES = ["one", "both", "foreign", "dockerfile", "emulated"] as const;
export type UnitName = (typeof UNIT_NAMES)[number];

/**
 * Kinds that run together, one after the other: a warm build and an edit need the cold build before them. Everything
 * else starts from an engine that has nothing.
 */
export const UNITS = {
  one: ["one"],
  both: ["both", "warm", "edit"],
  foreign: ["foreign"],
  dockerfile: ["dockerfile"],
  emulated: ["emulated"],
} as const satisfies Record<UnitName, readonly Kind[]>;

/** The unit a kind is measured in. */
export function unitOf(kind: Kind): UnitName {
  return kind === "warm" || kind === "edit" ? "both" : kind;
}
