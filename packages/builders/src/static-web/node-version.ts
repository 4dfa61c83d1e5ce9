import { TgoError } from "@tgo/errors";
import minVersion from "semver/ranges/min-version.js";
import validRange from "semver/ranges/valid.js";
import satisfies from "semver/functions/satisfies.js";

/**
 * Checks the builder's Node version against `engines.node` of package.json. An invalid range is ignored.
 * @param actual the output of `node --version`
 * @throws TgoError SOURCE naming both versions
 */
export function requireNode(service: string, range: string, actual: string, builder: string): void {
  const version = actual.trim().replace(/^v/, "");
  if (validRange(range) === null || satisfies(version, range)) return;
  throw new TgoError("SOURCE", `${service} requires Node ${range}, but the builder image has ${version}`, {
    where: `engines.node in package.json; ${builder}`,
    remedy: `Set build.builder of the service in tgo.catalog.json to an image with that version, such as docker.io/library/node:${minVersion(range)?.major ?? 24}-alpine.`,
  });
}
