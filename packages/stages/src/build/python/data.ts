import type { Directory } from "@dagger.io/dagger";
import type { PythonBuild } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { stamped } from "../../tools/index.js";
import { buildError } from "../build-error.js";
import { LAYER_TIME, type BuildRequest } from "../request.js";
import { activated } from "./activate.js";
import type { Environments } from "./environment.js";
import { downloading } from "./tools.js";

/** A folder of data, and where it belongs in the image. */
export interface Data {
  readonly path: string;
  readonly directory: Directory;
}

/**
 * Runs the data commands, natively and once for all platforms, with the locked packages and without the source: the
 * result depends on the lock and the command alone.
 * @throws TgoError BUILD naming a command that fails or leaves nothing
 */
export async function makeData(
  request: BuildRequest<PythonBuild>,
  environments: Environments,
): Promise<Data[]> {
  const { context, name, service } = request;
  if (service.build.data.length === 0) return [];
  const base = await downloading(request, context.native);
  const container = (await activated(request, base, environments, context.native)).withWorkdir("/work");
  return Promise.all(
    service.build.data.map(async ({ command, output }) => {
      const done = container.withExec([...command]);
      const remedy = `It is an entry of build.data of the service. It runs on ${context.native} with the locked packages, but without the source.`;
      try {
        await done.sync();
      } catch (error) {
        throw buildError(`making data for ${name} with "${command.join(" ")}"`, remedy, error);
      }
      const isThere = await done.exists(output);
      if (!isThere || (await done.directory(output).entries()).length === 0) {
        throw new TgoError(
          "BUILD",
          `"${command.join(" ")}" left ${output} of ${name} ${isThere ? "empty" : "missing"}`,
          {
            where: "build.data",
            remedy: `${remedy} Let it write to that folder.`,
          },
        );
      }
      return { path: output, directory: await stamped(context, done.directory(output), LAYER_TIME) };
    }),
  );
}
