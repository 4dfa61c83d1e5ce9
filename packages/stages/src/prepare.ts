import type { Service } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { basesOf, type BuildRequest } from "./build/index.js";
import { fill } from "./build/request.js";
import { buildValues } from "./build/static-web.js";
import { candidateKey } from "./candidate.js";
import { baseImage, type Context } from "./context.js";
import { loadSource, type SourceOptions } from "./source.js";

export interface PrepareOptions extends SourceOptions {
  /** Build values as NAME=value. */
  readonly values?: readonly string[] | undefined;
}

/** A service ready to be built: everything that decides its bytes is known. */
export interface Prepared {
  readonly request: BuildRequest;
  readonly key: string;
}

/**
 * Reads the source, resolves the bases to digests and derives the candidate's key. Builds nothing.
 * @throws TgoError SOURCE, USAGE
 */
export function prepare(
  context: Context,
  name: string,
  service: Service,
  options: PrepareOptions,
): Promise<Prepared> {
  return context.progress.step({ step: "prepare", service: name }, () =>
    gather(context, name, service, options),
  );
}

async function gather(
  context: Context,
  name: string,
  service: Service,
  options: PrepareOptions,
): Promise<Prepared> {
  const [source, bases] = await Promise.all([
    loadSource(context, name, service, options),
    resolveBases(context, service),
  ]);
  const given = parseValues(options.values ?? []);
  const partial = { name, source, version: undefined };
  const values =
    service.build.strategy === "static-web"
      ? buildValues(name, service.build, given, (template) => fill(template, partial))
      : {};
  const request: BuildRequest = { context, service, values, platforms: context.platforms, ...partial };
  const key = candidateKey({
    service: name,
    definition: service,
    platforms: context.platforms,
    source,
    bases,
    values,
    pipeline: context.pipeline,
    version: undefined,
  });
  return { request, key };
}

/** @throws TgoError USAGE for a value no selected service declares */
export function checkValues(
  values: readonly string[],
  services: readonly { name: string; service: Service }[],
): void {
  const declared = services.flatMap(({ service }) =>
    service.build.strategy === "static-web" ? Object.keys(service.build.values) : [],
  );
  for (const name of parseValues(values).keys()) {
    if (declared.includes(name)) continue;
    throw new TgoError("USAGE", `no selected service declares the build value ${name}`, {
      remedy: `Declared: ${declared.join(", ") || "none"}. Add it to build.values in tgo.catalog.json.`,
    });
  }
}

function parseValues(values: readonly string[]): Map<string, string> {
  return new Map(
    values.map((text) => {
      const equals = text.indexOf("=");
      if (equals < 1) {
        throw new TgoError("USAGE", `--value "${text}" is not NAME=value`, {
          remedy: "Write for example --value VITE_API_BASE_URL=https://api.example.com.",
        });
      }
      return [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}

/** The digest every base's tag stands for now, by `reference platform`. */
async function resolveBases(context: Context, service: Service): Promise<Record<string, string>> {
  const wanted = basesOf(service.build).flatMap((reference) =>
    context.platforms.map((platform) => ({ reference, platform })),
  );
  const resolved = await Promise.all(
    wanted.map(async ({ reference, platform }) => {
      const ref = await (await baseImage(context, reference, platform)).imageRef();
      return [`${reference} ${platform}`, ref.slice(ref.indexOf("@") + 1)] as const;
    }),
  );
  return Object.fromEntries(resolved);
}
