import { TgoError } from "@tgo/errors";
import * as z from "zod/mini";
import { safeParse } from "./problems.js";
import { withoutUserInfo } from "./public-url.js";

const HOST = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/;
/** https://github.com/distribution/reference/blob/v0.6.0/reference.go (path-component) */
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

/** A registry every image is published to. */
export const Registry = z
  .strictObject({
    host: z
      .string()
      .check(
        z.regex(HOST, "must be a host name with an optional port, such as ghcr.io or localhost:5000"),
        z.describe("Host, as written in image references."),
      ),
    repository: z.string().check(
      z.refine((path) => REPOSITORY.test(path.replaceAll("{service}", "service")), {
        message: "must be a lower-case path, such as tgoai/{service}",
      }),
      z.refine((path) => path.includes("{service}"), "must contain {service}"),
      z.describe("Path below the host; {service} is the service's name."),
    ),
    required: z
      ._default(z.boolean(), true)
      .check(
        z.describe("Whether a release waits for this registry. Others are reported and completed later."),
      ),
    public: z
      ._default(z.boolean(), false)
      .check(z.describe("Whether anyone may pull: verification then also pulls without credentials.")),
    referrers: z
      ._default(z.boolean(), false)
      .check(z.describe("Whether the registry accepts artifacts (SBOM, provenance, release record).")),
  })
  .register(z.globalRegistry, { description: "A registry images are published to." });
export type Registry = z.infer<typeof Registry>;

/** TGO's own registries: an image has one digest in all three. */
export const registries = {
  ghcr: { host: "ghcr.io", repository: "tgoai/tgo-deploy/{service}", public: true, referrers: true },
  dockerhub: { host: "docker.io", repository: "tgoai/{service}", public: true, referrers: true },
  acr: { host: "registry.cn-shanghai.aliyuncs.com", repository: "tgoai/{service}", public: true },
} satisfies Record<string, z.input<typeof Registry>>;

/** Host and path of a service's repository, without a tag: `ghcr.io/tgoai/tgo-deploy/tgo-api`. */
export function registryRepository(
  registry: Registry,
  service: string,
): { host: string; repository: string } {
  return { host: registry.host, repository: registry.repository.replaceAll("{service}", service) };
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
  const parsed = safeParse(Registry, {
    ...base,
    host,
    repository: path.includes("{service}") ? path : `${path.replace(/\/$/, "")}/{service}`,
  });
  if (!parsed.success) throw notARegistry(text, parsed.error.issues.map((issue) => issue.message).join("; "));
  return { name: name ?? host, registry: parsed.data };
}

function notARegistry(text: string, why: string): TgoError {
  return new TgoError("USAGE", `--registry "${withoutUserInfo(text)}" is not a registry: ${why}`, {
    remedy: "Write [name=]host[:port]/path, such as localhost:5001/tgoai or ghcr=ghcr.io/me/tgo/{service}.",
  });
}
