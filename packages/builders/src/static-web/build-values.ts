import type { StaticWebBuild } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";

/**
 * The build values of a service: the given ones, and defaults for the rest.
 * @throws TgoError USAGE naming a missing value and its flag
 */
export function buildValues(
  name: string,
  build: StaticWebBuild,
  given: ReadonlyMap<string, string>,
  fillIn: (template: string) => string,
): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [variable, { default: template }] of Object.entries(build.values)) {
    const value = given.get(variable) ?? (template === undefined ? undefined : fillIn(template));
    if (value === undefined) {
      throw new TgoError("USAGE", `${name} needs the build value ${variable}`, {
        remedy: `Add --value ${variable}=...`,
      });
    }
    values[variable] = value;
  }
  return values;
}
