import { TagPolicy } from "@tgo/release-rules";
import * as v from "@tgo/schemas";
import { Machines } from "./machine.js";
import { PLATFORMS } from "./parse-platform.js";
import { Platform } from "./platform.js";
import { PublicUrl } from "./public-url.js";
import { Registry, registries, registryRepository } from "./registry.js";
import { Service } from "./service.js";
import { SignaturePolicy } from "./signatures.js";

const Name = v.pipe(
  v.string(),
  v.regex(
    /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/,
    "must be lower-case letters, digits and single . _ - between them",
  ),
);

/** Where to fetch build inputs from instead of their usual sources. */
export const Mirrors = v.strictObject({
  images: v.pipe(
    v.optional(
      v.record(
        v.string(),
        v.pipe(
          v.string(),
          v.nonEmpty(),
          v.check(
            (text) => !text.includes("@"),
            "must not contain credentials: pass them with --docker-config",
          ),
        ),
      ),
      {},
    ),
    v.description(
      'Mirrors of the registries of base images, by host: { "docker.io": "mirror.example.com" }.',
    ),
  ),
  pypi: v.pipe(
    v.optional(PublicUrl),
    v.description("Python package index (PEP 503), e.g. https://pypi.example.com/simple."),
  ),
  npm: v.pipe(v.optional(PublicUrl), v.description("npm registry.")),
  debian: v.pipe(
    v.optional(PublicUrl),
    v.description(
      "Debian archive, e.g. https://mirrors.example.com/debian; its security archive is expected beside it.",
    ),
  ),
  debianSecurity: v.pipe(
    v.optional(PublicUrl),
    v.description("Debian security archive, where it is not <debian>-security."),
  ),
});

export type Mirrors = v.InferOutput<typeof Mirrors>;

/** What is built and where it is published. */
export const Catalog = v.pipe(
  v.strictObject({
    services: v.record(Name, Service),
    registries: v.optional(v.record(Name, Registry), registries),
    platforms: v.optional(v.pipe(v.array(Platform), v.nonEmpty()), PLATFORMS),
    machines: v.optional(Machines, {}),
    mirrors: v.optional(Mirrors, {}),
    release: v.optional(TagPolicy, {}),
    signatures: v.optional(SignaturePolicy),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    for (const [name, registry] of Object.entries(dataset.value.registries)) {
      const taken = new Map<string, string>();
      for (const service of Object.keys(dataset.value.services)) {
        const { repository } = registryRepository(registry, service);
        const other = taken.get(repository);
        if (other !== undefined)
          addIssue({
            message: `registry ${name} would have ${other} and ${service} in one repository, ${repository}`,
          });
        taken.set(repository, service);
      }
    }
  }),
);
export type Catalog = v.InferOutput<typeof Catalog>;
export type CatalogInput = v.InferInput<typeof Catalog>;
