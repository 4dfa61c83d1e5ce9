import { formatBaseLock, selectServices, type Pins } from "@tgo/catalog";
import { Bases, basesOf, TOOLS_BASE } from "@tgo/builders";
import { basesOptions, type Context } from "./context.js";

/**
 * What the tags of base images stand for now, as the text of a base lock: of the selected services, of the product's
 * own tools, and of what the caller's lock names besides. What changed against the lock in force is told as progress.
 * @param names services; entries of others are then kept as they are. All when empty.
 * @param file the caller's lock
 * @throws TgoError SOURCE for a base that cannot be resolved, or lacks one of the platforms
 */
export async function describeBaseLock(
  context: Context,
  names: readonly string[],
  file: Pins,
): Promise<string> {
  const every = names.length === 0 || names.includes("all");
  const services = selectServices(context.catalog, every ? ["all"] : names);
  const named = [...services.flatMap(({ service }) => basesOf(service.build)), TOOLS_BASE];
  const wanted = [...new Set([...named, ...(every ? Object.keys(file) : [])])].filter(
    (reference) => !reference.includes("@"),
  );
  // Afresh: nothing that this call or a lock knows already.
  const bases = new Bases({ ...basesOptions(context), pins: {} });
  const resolved = await Promise.all(
    wanted.map((reference) =>
      context.progress.step(
        { step: `resolve ${reference}` },
        async () => {
          await Promise.all(context.platforms.map((platform) => bases.container(reference, platform)));
          return [reference, await bases.digest(reference)] as const;
        },
        ([, digest]) => ({ detail: change(context.pins[reference], digest) }),
      ),
    ),
  );
  const dockerfiles = services.filter(({ service }) => service.build.strategy === "dockerfile");
  if (dockerfiles.length > 0) {
    context.progress.note(
      { step: "lock-bases" },
      `images of the Dockerfiles of ${dockerfiles.map(({ name }) => name).join(", ")} are pinned once they are added to the lock by hand: ` +
        'their full name, such as "docker.io/library/debian:12", and any digest, for --base-lock',
    );
  }
  return formatBaseLock({ ...file, ...Object.fromEntries(resolved) });
}

function change(before: string | undefined, after: string): string {
  if (before === undefined) return `new: ${after}`;
  return before === after ? `unchanged: ${after}` : `${before} -> ${after}`;
}
