import type { Container } from "@dagger.io/dagger";
import { problemText, TgoError } from "@tgo/errors";
import { pullVariant, referenceOf } from "@tgo/publishing";
import type { RegistryReport, Report } from "@tgo/report";
import { openContext, type Call } from "./call.js";
import { outcome, succeeded } from "./kept-report.js";
import { publish, type PublishFlags } from "./publish.js";
import { release } from "./release.js";
import type { ReleaseFlags } from "./release-run.js";
import type { SourceArguments } from "./source-arguments.js";
import { withAssembly } from "./variants/with-assembly.js";
import { verify } from "./verify.js";

/** A published candidate, as an object of a module keeps it. */
export interface PublishedCandidate {
  readonly digest: string;
  /** 16 hex digits. */
  readonly key: string;
  /** By digest, one for each registry that has it. */
  readonly references: string[];
  readonly platforms: string[];
  /** Digests of the platforms' manifests, in the same order. */
  readonly manifests: string[];
  /** The report. */
  readonly json: string;
}

export interface ReleasedImage {
  readonly version: string;
  readonly digest: string;
  /** References by tag: those that have the version's image. */
  readonly tags: string[];
  readonly json: string;
}

export interface VerifiedImage {
  readonly ok: boolean;
  readonly problems: string[];
  /** "" if no registry has the image. */
  readonly digest: string;
  readonly json: string;
}

/** @throws FunctionFailed with the report as text; TgoError CATALOG, USAGE */
export async function publishCandidate(
  call: Call,
  service: string,
  flags: SourceArguments & PublishFlags,
): Promise<PublishedCandidate> {
  const { json, report } = await succeeded(
    publish(call, [service], flags, "json", () => Promise.resolve(withAssembly)),
  );
  const { digest = "", tag = "", registries, variants } = serviceOf(report);
  const named = variants.flatMap(({ platform, digest: manifest }) =>
    manifest === undefined ? [] : [{ platform, manifest }],
  );
  return {
    digest,
    key: tag.replace(/^candidate-/, ""),
    references: registries.filter(hasImage).map((row) => `${repositoryIn(row)}@${digest}`),
    platforms: named.map(({ platform }) => platform),
    manifests: named.map(({ manifest }) => manifest),
    json,
  };
}

/** @throws FunctionFailed with the report as text; TgoError CATALOG, USAGE */
export async function releaseImage(
  call: Call,
  service: string,
  flags: ReleaseFlags & SourceArguments,
): Promise<ReleasedImage> {
  const { json, report } = await succeeded(release(call, [service], flags, "json"));
  const { digest = "", registries, tags = [] } = serviceOf(report);
  const repositories = new Map(registries.map((row) => [row.registry, repositoryIn(row)]));
  return {
    version: report.version ?? "",
    digest,
    tags: tags
      .filter(({ state }) => state === "done" || state === "already there")
      .map(({ registry, tag }) => `${repositories.get(registry) ?? registry}:${tag}`),
    json,
  };
}

/** Never throws for what is wrong with the image. @throws TgoError CATALOG, USAGE */
export async function verification(
  call: Call,
  service: string,
  flags: SourceArguments & { readonly tag?: string | undefined },
): Promise<VerifiedImage> {
  const { json, report } = await outcome(verify(call, [service], { ...flags, elf: true }, "json"));
  return { ok: report.ok, problems: problemsOf(report), digest: serviceOf(report).digest ?? "", json };
}

/**
 * The published image of one platform, from the first registry that has it.
 * @throws TgoError USAGE for a platform that it does not have
 */
export async function variant(
  call: Call,
  service: string,
  candidate: Pick<PublishedCandidate, "platforms" | "manifests" | "references">,
  platform: string,
): Promise<Container> {
  const { platforms, manifests, references } = candidate;
  const digest = manifests[platforms.indexOf(platform)];
  if (digest === undefined)
    throw new TgoError("USAGE", `the candidate has no variant for "${platform}"`, {
      remedy: `It has ${platforms.join(", ")}.`,
    });
  const context = await openContext(call);
  const index = references[0]?.split("@")[1] ?? "";
  const target = context.targets.find((each) => references.includes(referenceOf(each, service, index)));
  const planned = context.platforms.find((each) => each === platform);
  if (target === undefined || planned === undefined)
    throw new TgoError("INTERNAL", "the candidate is of other registries or platforms");
  return pullVariant(context, target, service, { platform: planned, digest });
}

function serviceOf({ services }: Report): Report["services"][number] {
  const [service] = services;
  if (service === undefined) throw new TgoError("INTERNAL", "the report has no service");
  return service;
}

function hasImage({ state }: RegistryReport): boolean {
  return state === "done" || state === "already there" || state === "verified";
}

/** `host/repository` of a row, whose reference ends with a tag or a digest. */
function repositoryIn({ reference }: RegistryReport): string {
  const [name = ""] = reference.split("@");
  return name.replace(/:[^:/]*$/, "");
}

/** One text for each problem, with where it is and what to do. */
function problemsOf({ problems = [], services }: Report): string[] {
  const all = [
    ...problems,
    ...services.flatMap((service) => [
      ...service.problems,
      ...service.registries.flatMap((row) => row.problems.map((each) => ({ where: row.reference, ...each }))),
    ]),
  ];
  return [...new Set(all.map(problemText))];
}
