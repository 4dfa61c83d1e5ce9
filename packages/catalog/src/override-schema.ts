import { TagPolicy } from "@tgo/release-rules";
import * as v from "@tgo/schemas";
import { Mirrors } from "./catalog.js";
import { Machines } from "./machine.js";
import { OverrideHeader } from "./override-header.js";
import { Platform } from "./platform.js";
import { Registry } from "./registry.js";
import { Service } from "./service.js";
import { SignaturePolicy } from "./signatures.js";

/**
 * The user's `tgo.catalog.json`: differences from the built-in catalog. A field of a service or registry is replaced as a
 * whole; null removes the entry. Only the JSON Schema is made of it: what is validated is the merged catalog.
 */
export const CatalogOverride = v.pipe(
  v.strictObject({
    ...OverrideHeader.entries,
    services: v.optional(v.record(v.string(), v.nullable(v.partial(Service)))),
    registries: v.optional(v.record(v.string(), v.nullable(v.partial(Registry)))),
    platforms: v.optional(v.pipe(v.array(Platform), v.nonEmpty())),
    machines: v.optional(v.partial(Machines)),
    mirrors: v.optional(v.partial(Mirrors)),
    release: v.optional(v.partial(TagPolicy)),
    signatures: v.optional(SignaturePolicy),
  }),
  v.description("Overrides of the TGO catalog (tgo.catalog.json)."),
);
