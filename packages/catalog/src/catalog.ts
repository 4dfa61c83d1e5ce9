import { TagPolicy } from "@tgo/release-rules";
import * as z from "zod";
import { PLATFORMS, Platform } from "./platform.js";
import { Registry, registries } from "./registry.js";
import { Service } from "./service.js";

const Name = z
  .string()
  .regex(
    /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/,
    "must be lower-case letters, digits and single . _ - between them",
  );

export const Mirrors = z
  .strictObject({
    images: z
      .record(z.string(), z.string().min(1))
      .default({})
      .describe(
        'Mirror of a registry base images come from, by host: { "docker.io": "mirror.example.com" }.',
      ),
    pypi: z
      .url()
      .optional()
      .describe("Python package index (PEP 503), e.g. https://pypi.example.com/simple."),
    npm: z.url().optional().describe("npm registry."),
    debian: z
      .url()
      .optional()
      .describe(
        "Debian archive, e.g. https://mirrors.example.com/debian; its security archive is expected beside it.",
      ),
    debianSecurity: z
      .url()
      .optional()
      .describe("Debian security archive, where it is not <debian>-security."),
  })
  .describe("Where build inputs are fetched from instead of their usual places.");
export type Mirrors = z.infer<typeof Mirrors>;

/** Everything the pipelines know about what is shipped and where to. */
export const Catalog = z.strictObject({
  services: z.record(Name, Service),
  registries: z.record(Name, Registry).default(() => Registries.parse(registries)),
  platforms: z
    .array(Platform)
    .min(1)
    .default([...PLATFORMS]),
  mirrors: Mirrors.prefault({}),
  release: TagPolicy.prefault({}),
});
export type Catalog = z.infer<typeof Catalog>;
export type CatalogInput = z.input<typeof Catalog>;

const Registries = z.record(Name, Registry);
