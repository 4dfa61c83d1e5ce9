import type { Service as DaggerService } from "@dagger.io/dagger";
import { TgoError } from "@tgo/errors";
import type { TagToWrite } from "@tgo/inspection";
import { repositoryOf, type Target } from "@tgo/publishing";
import { formatReference, parseReference, type Reference } from "@tgo/registry";
import { openContext, type Call } from "../call.js";
import type { Context } from "../context.js";

/** A repository, and the tags in it that get the image. */
export interface Destination {
  readonly target: Target;
  readonly tags: readonly TagToWrite[];
}

/** Where an image goes. */
export interface Destinations {
  readonly context: Context;
  /** What reports call the image: its first repository. */
  readonly name: string;
  /** In the caller's order, each once, with a tag. */
  readonly references: readonly string[];
  readonly destinations: readonly Destination[];
}

/**
 * Parses references and connects to their registries; contacts none.
 * @throws TgoError USAGE for none, and for one without a tag or with a digest
 */
export async function openDestinations(call: Call, texts: readonly string[]): Promise<Destinations> {
  const [first, ...others] = texts.map(tagReference);
  if (first === undefined)
    throw new TgoError("USAGE", "there is no registry to publish to", {
      remedy: "Pass a reference with a tag for each registry, such as ghcr.io/me/app:1.2.3.",
    });
  const all = [first, ...others];
  const name = first.repository;
  const repositories = [...new Map(all.map((each) => [repositoryName(each), each])).values()];
  const context = await openContext({
    ...call,
    options: {
      ...call.options,
      repositories: { service: name, names: repositories.map(repositoryName) },
      registryService: servicesFor(repositories, call.options.registryService ?? []),
    },
  });
  const destinations = context.targets.map((target): Destination => {
    const repository = repositoryOf(target, name);
    const tags = all.filter((each) => each.host === target.registry.host && each.repository === repository);
    const names = [...new Set(tags.map(({ tag }) => tag))];
    return { target, tags: names.map((tag) => ({ registry: target.client, repository, tag })) };
  });
  return { context, name, references: [...new Set(all.map(formatReference))], destinations };
}

type TagReference = Reference & { readonly tag: string };

function tagReference(text: string): TagReference {
  const reference = parseReference(text);
  const { tag, digest } = reference;
  if (tag !== undefined && digest === undefined) return { ...reference, tag };
  throw new TgoError("USAGE", `"${text}" must name a tag, and no digest`, {
    remedy: "For example: ghcr.io/me/app:1.2.3.",
  });
}

function repositoryName({ host, repository }: Reference): string {
  return formatReference({ host, repository });
}

/** A connection leads to a host, whatever repositories it has. */
function servicesFor(
  repositories: readonly Reference[],
  services: readonly DaggerService[],
): DaggerService[] | undefined {
  const hosts = [...new Set(repositories.map(({ host }) => host))];
  if (services.length > hosts.length)
    throw new TgoError("USAGE", `${services.length} connections for ${hosts.length} registries`, {
      remedy: "Give one connection for each registry's host, in the order of the references.",
    });
  const found = repositories.map(({ host }) => services[hosts.indexOf(host)]);
  const end = found.indexOf(undefined);
  const given = (end < 0 ? found : found.slice(0, end)).filter((service) => service !== undefined);
  return given.length === 0 ? undefined : given;
}
