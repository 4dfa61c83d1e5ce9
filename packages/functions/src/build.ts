import type { Container } from "@dagger.io/dagger";
import { prepareBuild } from "@tgo/builders";
import { TgoError } from "@tgo/errors";
import { buildAndTest } from "@tgo/proof";
import { openContext, type Call } from "./call.js";
import { cleanError } from "./redaction.js";
import { prepareOptions, selectBuilds, type SourceArguments } from "./source-arguments.js";

/** Builds and checks one variant of a service. @throws TgoError USAGE for more than one platform */
export async function build(call: Call, name: string, source: SourceArguments): Promise<Container> {
  if ((call.options.platform?.length ?? 0) > 1) {
    throw new TgoError("USAGE", "build takes one platform at a time", {
      remedy: "Give one --platform, or use publish to build all of them.",
    });
  }
  const context = await openContext(call);
  const platform = context.platforms.includes(context.native) ? context.native : context.platforms[0];
  const one = { ...context, platforms: context.platforms.filter((candidate) => candidate === platform) };
  const [selected] = selectBuilds(one, [name], source);
  if (selected === undefined) throw new TgoError("USAGE", "no service given");
  const { built } = await prepareBuild(one, selected.name, selected.service, prepareOptions(source))
    .then((request) => buildAndTest(one, request, { smoke: false }))
    .catch((error: unknown) => {
      throw cleanError(error, context.clean);
    });
  const [variant] = built.variants;
  if (variant === undefined) throw new TgoError("BUILD", `${name} has no variant`);
  return variant.container;
}
