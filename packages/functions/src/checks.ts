import type { Changeset, Workspace } from "@dagger.io/dagger";
import { selectServices } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { openContext, type Call } from "./call.js";
import { baseProblems } from "./base-problems.js";
import { FunctionFailed } from "./function-failed.js";
import { lockBases } from "./lock-bases.js";
import { smoke } from "./smoke.js";
import { verify } from "./verify.js";
import { BASE_LOCK, workspaceCall } from "./workspace-call.js";

/** How Dagger names the folder at the root. */
const ROOTS = [".", "/", ""];

/** Whether `latest` of every service is whole in every registry. @throws ReportError if not */
export async function checkPublished(call: Call, workspace: Workspace): Promise<string> {
  return verify(await workspaceCall(call, workspace), ["all"], { tag: "latest", elf: false }, "text");
}

/** Whether every base image is pinned to a digest that its registry still has. @throws FunctionFailed if not */
export async function checkBases(call: Call, workspace: Workspace): Promise<string> {
  const context = await openContext(await workspaceCall(call, workspace));
  const services = selectServices(context.catalog, ["all"]).map(({ service }) => service);
  const { checked, problems } = await baseProblems(context, services);
  if (problems.length > 0) throw new FunctionFailed(`${problems.join("\n")}\n`);
  return `All ${checked} base images are pinned, and their registries have them for ${context.platforms.join(" and ")}.`;
}

/** Builds and tests the services whose sources are in the caller's repository. @throws ReportError if one fails */
export async function checkSmoke(call: Call, workspace: Workspace): Promise<string> {
  const own = await workspaceCall(call, workspace);
  const { catalog } = await openContext(own);
  const services = own.sources.filter((name) => Object.hasOwn(catalog.services, name));
  if (services.length === 0)
    throw new TgoError("USAGE", "this repository has the source of no service", {
      where: "repos",
      remedy: `Services of the catalog: ${Object.keys(catalog.services).join(", ")}. Their sources belong in repos/SERVICE.`,
    });
  return smoke(own, services, {}, "text");
}

/**
 * The caller's base lock with the digests that the tags of base images have now.
 * @throws TgoError USAGE below the repository's root: Dagger would write the file there
 */
export async function refreshBases(call: Call, workspace: Workspace): Promise<Changeset> {
  const path = await workspace.path();
  if (!ROOTS.includes(path))
    throw new TgoError("USAGE", `${BASE_LOCK} belongs to the root of the repository, and this is ${path}`, {
      remedy: "Run the same command in the repository's root: Dagger writes changes to the current folder.",
    });
  const own = await workspaceCall(call, workspace);
  const text = await lockBases(own, []);
  const before = workspace.directory("/", { include: [BASE_LOCK] });
  return before.withNewFile(BASE_LOCK, text).changes(before);
}
