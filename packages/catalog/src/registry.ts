import { TgoError } from "@tgo/errors";
import * as v from "@tgo/schemas";
import { withoutUserInfo } from "./public-url.js";
import { REGISTRY_HOST } from "./registry-host.js";

/** https://github.com/distribution/reference/blob/v0.6.0/reference.go (path-component) */
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

/** A registry every image is published to. */
export const Registry = v.strictObject({
  host: v.pipe(
    v.string(),
    v.regex(
      REGISTRY_HOST,
      "must be a host name, or an IPv6 address in brackets, with an optional port up to 65535, such as ghcr.io or localhost:5000",
    ),
    v.description("Host, as written in image references."),
  ),
  repository: v.pipe(
    v.string(),
    v.check(
      (path) => REPOSITORY.test(path.replaceAll("{service}", "service")),
      "must be a lower-case path, such as tgoai/{service}",
    ),
    v.check((path) => path.includes("{service}"), "must contain {service}"),
    v.description("Path below the host; {service} is the service's name."),
  ),
  names: v.pipe(
    v.optional(
      v.record(
        v.string(),
        v.pipe(
          v.string(),
          v.check((name) => REPOSITORY.test(name), "must be a lower-case path"),
        ),
      ),
      {},
    ),
    v.description(
      'Names of services that differ in this registry, by service: { "tgo-widget-js": "tgo-widget-app" }.',
    ),
  ),
  required: v.pipe(
    v.optional(v.boolean(), true),
    v.description("Whether a release waits for this registry. Others are reported and completed later."),
  ),
  public: v.pipe(
    v.optional(v.boolean(), false),
    v.description("Whether anyone may pull: verification then also pulls without credentials."),
  ),
  referrers: v.pipe(
    v.optional(v.union([v.boolean(), v.literal("image-config")]), false),
    v.description(
      'Whether the registry accepts artifacts (signatures, SBOM, provenance, release record); "image-config": only with the config media type of an image.',
    ),
  ),
});
export type Registry = v.InferOutput<typeof Registry>;

/** TGO's own registries: an image has one digest in all three. */
export const registries = {
  ghcr: { host: "ghcr.io", repository: "tgoai/tgo-deploy/{service}", public: true, referrers: true },
  dockerhub: { host: "docker.io", repository: "tgoai/{service}", public: true, referrers: true },
  acr: { host: "registry.cn-shanghai.aliyuncs.com", repository: "tgoai/{service}", public: true },
} satisfies Record<string, v.InferInput<typeof Registry>>;

/** Host and path of a service's repository, without a tag: `ghcr.io/tgoai/tgo-deploy/tgo-api`. */
export function registryRepository(
  registry: Registry,
  service: string,
): { host: string; repository: string } {
  const name = Object.hasOwn(registry.names, service) ? (registry.names[service] ?? service) : service;
  return { host: registry.host, repository: registry.repository.replaceAll("{service}", name) };
}

/**
 * Parses a `--registry` value: `[name=]host[:port]/path[/{service}]`. With a name from the catalog, that registry's other
 * properties are kept; without a name, the host is the name.
 * @throws TgoError USAGE with the value and the grammar
 */
export function parseRegistryFlag(
  text: string,
  known: Readonly<Record<string, Registry>>,
): { name: string; registry: Registry } {
  const match = /^(?:([a-z0-9][a-z0-9._-]*)=)?([^/=]+)\/(.+)$/.exec(text.trim());
  const [, name, host, path] = match ?? [];
  if (host === undefined || path === undefined) throw notARegistry(text, "it has no host or path");
  const base = name === undefined ? undefined : known[name];
  const parsed = v.safeParse(Registry, {
    ...base,
    host,
    repository: path.includes("{service}") ? path : `${path.replace(/\/$/, "")}/{service}`,
  });
  if (!parsed.success) throw notARegistry(text, parsed.issues.map((issue) => issue.message).join("; "));
  return { name: name ?? host, registry: parsed.output };
}

function notARegistry(text: string, why: string): TgoError {
  return new TgoError("USAGE", `--registry "${withoutUserInfo(text)}" is not a registry: ${why}`, {
    remedy: "Write [name=]host[:port]/path, such as localhost:5001/tgoai or ghcr=ghcr.io/me/tgo/{service}.",
  });
}
