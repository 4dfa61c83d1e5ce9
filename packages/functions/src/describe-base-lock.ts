import { formatBaseLock, selectServices, type Pins } from "@tgo/catalog";
import { Bases, basesOf, TOOLS_BASE } from "@tgo/builders";
import { basesOptions, type Context } from "./context.js";

/**
 * The text of a base lock with the digests that the tags of base images point to now: those of the selected services,
 * of the product's own tools, and others named in the caller's lock. Changes are reported as progress.
 * @param names services; entries of other services are kept. All services when empty.
 * @param file the caller's lock
 * @throws TgoError SOURCE for a base image that cannot be resolved, or lacks one of the platforms
 */
export async function describeBaseLock(
  context: Context,
  names: readonly string[],
  file: Pins,
): Promise<string> {
  const isAll = names.length === 0 || names.includes("all");
  const services = selectServices(context.catalog, isAll ? ["all"] : names);
  const used = [...services.flatMap(({ service }) => basesOf(service.build)), TOOLS_BASE];
  const references = [...new Set([...used, ...(isAll ? Object.keys(file) : [])])].filter(
    (reference) => !reference.includes("@"),
  );
  // Without pins, and without digests that this call has already resolved.
  const bases = new Bases({ ...basesOptions(context), pins: {} });
  const resolved = await Promise.all(
    references.map((reference) =>
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
      `to pin the images in the Dockerfiles of ${dockerfiles.map(({ name }) => name).join(", ")}, add them to the lock for ` +
        '--base-lock by hand: the full name, such as "docker.io/library/debian:12", with any digest',
    );
  }
  return formatBaseLock({ ...file, ...Object.fromEntries(resolved) });
}

function change(before: string | undefined, after: string): string {
  if (before === undefined) return `new: ${after}`;
  return before === after ? `unchanged: ${after}` : `${before} -> ${after}`;
}
