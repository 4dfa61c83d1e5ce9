import { TagPolicy } from "@tgo/release-rules";
import * as z from "zod/mini";
import { PLATFORMS, Platform } from "./platform.js";
import { PublicUrl } from "./public-url.js";
import { Registry, registries } from "./registry.js";
import { Service } from "./service.js";

const Name = z
  .string()
  .check(
    z.regex(
      /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/,
      "must be lower-case letters, digits and single . _ - between them",
    ),
  );

export const Mirrors = z
  .strictObject({
    images: z
      ._default(
        z.record(
          z.string(),
          z.string().check(
            z.minLength(1),
            z.refine((text) => !text.includes("@"), {
              message: "must not contain credentials: pass them with --docker-config",
            }),
          ),
        ),
        {},
      )
      .check(
        z.describe(
          'Mirrors of the registries of base images, by host: { "docker.io": "mirror.example.com" }.',
        ),
      ),
    pypi: z
      .optional(PublicUrl)
      .check(z.describe("Python package index (PEP 503), e.g. https://pypi.example.com/simple.")),
    npm: z.optional(PublicUrl).check(z.describe("npm registry.")),
    debian: z
      .optional(PublicUrl)
      .check(
        z.describe(
          "Debian archive, e.g. https://mirrors.example.com/debian; its security archive is expected beside it.",
        ),
      ),
    debianSecurity: z
      .optional(PublicUrl)
      .check(z.describe("Debian security archive, where it is not <debian>-security.")),
  })
  .register(z.globalRegistry, {
    description: "Where to fetch build inputs from instead of their usual sources.",
  });
export type Mirrors = z.infer<typeof Mirrors>;

const Registries = z.record(Name, Registry);

/** What is built and where it is published. */
export const Catalog = z.strictObject({
  services: z.record(Name, Service),
  registries: z._default(Registries, () => z.parse(Registries, registries)),
  platforms: z._default(z.array(Platform).check(z.minLength(1)), [...PLATFORMS]),
  mirrors: z.prefault(Mirrors, {}),
  release: z.prefault(TagPolicy, {}),
});
export type Catalog = z.infer<typeof Catalog>;
export type CatalogInput = z.input<typeof Catalog>;
