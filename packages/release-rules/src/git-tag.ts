import { TgoError } from "@tgo/errors";
import { nearestVersion, readVersion, VERSION_GRAMMAR, type Version } from "./version.js";

/** The release a Git tag asks for. */
export interface ReleaseTag {
  readonly version: Version;
  /** Undefined for all services. */
  readonly service: string | undefined;
}

/**
 * Parses a Git tag: `v1.2.3` (or `1.2.3`) releases all services, `tgo-api-v1.2.3` only tgo-api. The `v` is mandatory
 * after a service's name: names may end in digits, so nothing else shows where the version begins.
 * @param tag with or without `refs/tags/`, as CI systems provide it
 * @param services the catalog's names
 * @throws TgoError USAGE with the grammar, the known services, and a suggestion where one is obvious
 */
export function parseReleaseTag(tag: string, services: readonly string[]): ReleaseTag {
  const name = tag.replace(/^refs\/tags\//, "");
  const readings = readingsOf(name, services);
  const [reading] = readings;
  if (reading === undefined) throw notARelease(name, services);
  if (readings.length > 1) {
    const meanings = readings.map(
      ({ version, service }) => `${version.text} of ${service ?? "all services"}`,
    );
    throw new TgoError("USAGE", `Git tag "${name}" can be read as ${meanings.join(", and as ")}`, {
      remedy: "Use --version and --service instead to say which one.",
    });
  }
  return reading;
}

function readingsOf(name: string, services: readonly string[]): ReleaseTag[] {
  return [undefined, ...new Set(services)].flatMap((service) => {
    const start = service === undefined ? "" : `${service}-`;
    const rest = name.startsWith(start) ? name.slice(start.length) : "";
    const version = service === undefined || rest.startsWith("v") ? readVersion(rest) : undefined;
    return version === undefined ? [] : [{ version, service }];
  });
}

function notARelease(name: string, services: readonly string[]): TgoError {
  const known = `Services: ${services.join(", ") || "none"}.`;
  const grammar =
    "A release is tagged v1.2.3 (all services) or <service>-v1.2.3 (one service).\n" + VERSION_GRAMMAR;
  const unknown = /^(.+)-v(?=\d)(.+)$/.exec(name);
  if (unknown?.[1] !== undefined && readVersion(unknown[2] ?? "") !== undefined) {
    return new TgoError("USAGE", `Git tag "${name}" names "${unknown[1]}", which is not a service`, {
      remedy: `${known}\n${grammar}`,
    });
  }
  const nearest = nearestTag(name, services);
  return new TgoError("USAGE", `Git tag "${name}" is not a release`, {
    remedy: [...(nearest === undefined ? [] : [`Write ${nearest}.`]), grammar, known].join("\n"),
  });
}

/** The tag probably meant by another convention for one package of many: `api/v1.2.3`, `api@1.2.3`, `api-1.2.3`. */
function nearestTag(name: string, services: readonly string[]): string | undefined {
  const owner = services
    .filter((service) => name.startsWith(service) && /^[-/@_.]/.test(name.slice(service.length)))
    .sort((a, b) => b.length - a.length)[0];
  const version = nearestVersion(owner === undefined ? name : name.slice(owner.length + 1));
  if (version === undefined) return undefined;
  return owner === undefined ? `v${version}` : `${owner}-v${version}`;
}
