import * as v from "@tgo/schemas";

/** The format of catalog files that this version reads and `tgo init` writes. */
export const CATALOG_VERSION = 1;

/** Fields of a catalog file that say how to read it, and are no part of the catalog. */
export const OverrideHeader = v.looseObject({
  $schema: v.optional(v.string()),
  version: v.pipe(
    v.optional(v.wholeNumber(1), CATALOG_VERSION),
    v.description("Format of this file: 1. A version of tgo that knows no newer one refuses it."),
  ),
  extends: v.pipe(
    v.optional(v.picklist(["tgo", "none"]), "tgo"),
    v.description(
      "What the file changes: tgo, the built-in catalog of TGO; none, an empty one, so that only what the file names is " +
        "built and published.",
    ),
  ),
});
