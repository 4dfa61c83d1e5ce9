import { TgoError } from "@tgo/errors";
import type { CheckRanges } from "../container-tools/container-tools.js";

/** A builder image and what it runs. */
export interface Builder {
  readonly image: string;
  /** The output of `node --version`. */
  readonly node: string;
}

/**
 * Checks the builder's Node version against `engines.node` of package.json. An invalid range is ignored.
 * @throws TgoError SOURCE naming both versions
 */
export async function requireNode(
  service: string,
  range: string,
  { image, node }: Builder,
  checkRanges: CheckRanges,
): Promise<void> {
  const version = node.trim().replace(/^v/, "");
  const [report] = await checkRanges([{ version, range }]);
  if (report?.allowed !== false) return;
  throw new TgoError("SOURCE", `${service} requires Node ${range}, but the builder image has ${version}`, {
    where: `engines.node in package.json; ${image}`,
    remedy: `Set build.builder of the service in tgo.catalog.json to an image with that version, such as docker.io/library/node:${report.lowestMajor ?? 24}-alpine.`,
  });
}
